//! Rectangles of pixels whose windows have the same taps.
//!
//! Windows at the border of an image see fewer pixels than others, and a pixel under strided
//! windows is seen by some of them only. Where neighbours agree they form a rectangle, on which a
//! convolution has no special cases: no copy with zeros around it, and no multiplication by zero.

use crate::device::{Axis, Conv2dGeometry, Taps};

/// Neighbouring positions along an axis, that are written to from the same taps.
#[derive(Clone, Copy)]
struct Run {
    count: usize,
    /// The first position and the distance to the next.
    to: usize,
    to_step: usize,
    /// Where its first tap falls, and how this moves from position to position.
    from: usize,
    from_step: usize,
    /// The taps, and how far they are apart in what is read.
    taps: usize,
    from_tap: usize,
    /// The first tap's place in the window and the distance to the next.
    tap: usize,
    tap_step: usize,
}

/// What is computed of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Outputs, of inputs.
    Forward,
    /// The gradients of inputs, of those of outputs; the kernel's taps are in reverse order.
    Backward,
}

/// The runs of an axis. On the way back there are as many kinds as the stride, each of them at every so
/// manyth position.
struct Runs {
    axis: Axis,
    way: Way,
    /// The first position of this kind, and the next one.
    kind: usize,
    to: usize,
}

impl Runs {
    fn new(axis: Axis, way: Way) -> Self {
        Self {
            axis,
            way,
            kind: 0,
            to: 0,
        }
    }

    fn taps(&self, to: usize) -> Taps {
        match self.way {
            Way::Forward => self.axis.taps(to),
            Way::Backward => self.axis.windows_over(to),
        }
    }
}

impl Iterator for Runs {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let axis = self.axis;
        let (end, to_step, from_step) = match self.way {
            Way::Forward => (axis.output, 1, axis.stride),
            Way::Backward => (axis.input, axis.stride, 1),
        };
        if self.to >= end {
            self.kind += 1;
            self.to = self.kind;
            if self.kind >= to_step.min(end) {
                return None;
            }
        }
        let taps = self.taps(self.to);
        let mut run = Run {
            count: 0,
            to: self.to,
            to_step,
            from: taps.input,
            from_step,
            taps: taps.count,
            from_tap: axis.dilation,
            tap: taps.first,
            tap_step: to_step,
        };
        while self.to < end {
            let next = self.taps(self.to);
            if (next.first, next.count) != (taps.first, taps.count) {
                break;
            }
            run.count += 1;
            self.to += to_step;
        }
        Some(run)
    }
}

/// A rectangle of pixels of every image. Distances are in numbers; pairs are (rows, columns).
#[derive(Clone, Copy, Debug)]
pub struct Patch {
    /// The pixels.
    pub count: (usize, usize),
    /// Where the first tap of the first pixel falls, and how this moves from pixel to pixel.
    pub from: usize,
    pub from_step: (usize, usize),
    /// Where the first pixel is written, and the distances to the next.
    pub to: usize,
    pub to_step: (usize, usize),
    /// The taps, and how far they are apart in what is read.
    pub taps: (usize, usize),
    pub from_tap: (usize, usize),
    /// The kernel's row of the first tap, and the distances to the next.
    pub row: usize,
    pub row_step: (usize, usize),
    /// The numbers of a tap that lie together, in what is read and in the kernel's rows.
    pub len: usize,
}

impl Patch {
    /// `from` and `to` are the (columns, channels) of the images read and written; `len` numbers
    /// of a pixel are read, and `window` is the number of taps in a row of the window.
    fn new(
        rows: Run,
        columns: Run,
        from: (usize, usize),
        to: (usize, usize),
        len: usize,
        window: usize,
    ) -> Self {
        let (from_row, to_row) = (from.0 * from.1, to.0 * to.1);
        let mut patch = Patch {
            count: (rows.count, columns.count),
            from: rows.from * from_row + columns.from * from.1,
            from_step: (rows.from_step * from_row, columns.from_step * from.1),
            to: rows.to * to_row + columns.to * to.1,
            to_step: (rows.to_step * to_row, columns.to_step * to.1),
            taps: (rows.taps, columns.taps),
            from_tap: (rows.from_tap * from_row, columns.from_tap * from.1),
            row: (rows.tap * window + columns.tap) * len,
            row_step: (rows.tap_step * window * len, columns.tap_step * len),
            len,
        };
        // The taps of a row are one piece if nothing lies between them.
        if patch.from_tap.1 == len && patch.row_step.1 == len {
            patch.len *= patch.taps.1;
            patch.taps.1 = patch.taps.1.min(1);
        }
        patch
    }
}

/// The patches of what is computed.
pub fn patches(g: &Conv2dGeometry, way: Way) -> impl Iterator<Item = Patch> + use<> {
    let g = *g;
    let input = (g.columns.input, g.channels);
    let output = (g.columns.output, g.filters);
    let (from, to, len) = match way {
        Way::Forward => (input, output, g.group_channels()),
        Way::Backward => (output, input, g.group_filters()),
    };
    Runs::new(g.rows, way).flat_map(move |rows| {
        Runs::new(g.columns, way)
            .map(move |columns| Patch::new(rows, columns, from, to, len, g.columns.window))
    })
}

/// Walks over the pixels of a patch in every image.
#[derive(Clone, Copy)]
pub struct Pixels<'a> {
    patch: &'a Patch,
    images: (usize, usize),
    at: (usize, usize),
    row: (usize, usize),
    image: (usize, usize),
    /// Where the first tap of the pixel falls.
    pub from: usize,
    /// Where the pixel is written.
    pub to: usize,
}

impl<'a> Pixels<'a> {
    /// `images` are the sizes of an image read and of an image written.
    #[inline(always)]
    pub fn new(patch: &'a Patch, images: (usize, usize)) -> Self {
        let start = (patch.from, patch.to);
        Self {
            patch,
            images,
            at: (0, 0),
            row: start,
            image: start,
            from: start.0,
            to: start.1,
        }
    }

    /// Goes on to the next pixel.
    #[inline(always)]
    pub fn advance(&mut self) {
        let patch = self.patch;
        self.at.1 += 1;
        self.from += patch.from_step.1;
        self.to += patch.to_step.1;
        if self.at.1 == patch.count.1 {
            self.next_row();
        }
    }

    #[inline(always)]
    fn next_row(&mut self) {
        let patch = self.patch;
        self.at = (self.at.0 + 1, 0);
        self.row.0 += patch.from_step.0;
        self.row.1 += patch.to_step.0;
        if self.at.0 == patch.count.0 {
            self.at.0 = 0;
            self.image.0 += self.images.0;
            self.image.1 += self.images.1;
            self.row = self.image;
        }
        (self.from, self.to) = self.row;
    }
}
