//! `input = output · stride + tap · dilation - before`: how windows lie on an image.
//!
//! The shape rules of the layers, their workspaces and the kernels of every device share these
//! numbers. An image is two [`Axis`] and its channels, which lie together in memory.

/// Partial sums are cut down to about so many numbers.
const SUMS: usize = 1 << 21;

/// The columns of a kernel are filled up to a multiple of this.
pub(super) const PANEL: usize = 16;

/// Windows along one axis of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The size of the input.
    pub input: usize,
    /// The size of the output.
    pub output: usize,
    /// The taps of a window: a kernel's size, a pool's size.
    pub window: usize,
    /// The distance between neighbouring windows.
    pub stride: usize,
    /// The distance between neighbouring taps.
    pub dilation: usize,
    /// The zeros before and after the input.
    pub padding: (usize, usize),
}

impl Axis {
    /// Windows that stay inside the input; `None` if it has no room for one.
    pub const fn valid(
        input: usize,
        window: usize,
        stride: usize,
        dilation: usize,
    ) -> Option<Self> {
        let reach = (window - 1) * dilation + 1;
        if input < reach {
            return None;
        }
        Some(Self {
            input,
            output: (input - reach) / stride + 1,
            window,
            stride,
            dilation,
            padding: (0, 0),
        })
    }

    /// A window for every `stride` inputs; the zeros this needs are even on both sides, the odd
    /// one comes after.
    pub const fn same(input: usize, window: usize, stride: usize, dilation: usize) -> Self {
        let reach = (window - 1) * dilation + 1;
        let output = input.div_ceil(stride);
        let needed = (output.saturating_sub(1) * stride + reach).saturating_sub(input);
        Self {
            input,
            output,
            window,
            stride,
            dilation,
            padding: (needed / 2, needed - needed / 2),
        }
    }

    /// One window, as large as the input.
    pub const fn whole(input: usize) -> Self {
        Self {
            input,
            output: 1,
            window: input,
            stride: 1,
            dilation: 1,
            padding: (0, 0),
        }
    }

    /// The taps of the window at `output` that fall on the input, and the input of the first.
    pub const fn taps(&self, output: usize) -> Taps {
        let (start, before) = (output * self.stride, self.padding.0);
        let first = before.saturating_sub(start).div_ceil(self.dilation);
        let room = (self.input + before).saturating_sub(start);
        let end = min(room.div_ceil(self.dilation), self.window);
        if first >= end {
            return Taps::NONE;
        }
        Taps {
            first,
            count: end - first,
            input: start + first * self.dilation - before,
        }
    }

    /// The windows that see `input`, in rising order of their outputs: `input` of the result is
    /// the first of these outputs. Taps are counted from the end of the window, so that they rise
    /// too, in steps of the stride.
    ///
    /// Either the stride or the dilation is 1.
    pub const fn windows_over(&self, input: usize) -> Taps {
        let (start, residue) = (
            (input + self.padding.0) / self.stride,
            (input + self.padding.0) % self.stride,
        );
        // The window at `start - step * dilation` sees the input at its tap
        // `residue + step * stride`.
        let steps = self.window.saturating_sub(residue).div_ceil(self.stride);
        let end = min(start / self.dilation + 1, steps);
        let first = (start + 1)
            .saturating_sub(self.output)
            .div_ceil(self.dilation);
        if first >= end {
            return Taps::NONE;
        }
        Taps {
            first: self.window - 1 - (residue + (end - 1) * self.stride),
            count: end - first,
            input: start - (end - 1) * self.dilation,
        }
    }
}

const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// The part of a window that falls on the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taps {
    /// The first tap.
    pub first: usize,
    /// How many there are.
    pub count: usize,
    /// Where the first one falls.
    pub input: usize,
}

impl Taps {
    /// A window that falls beside the input.
    const NONE: Taps = Taps {
        first: 0,
        count: 0,
        input: 0,
    };
}

/// A convolution of images (rows, columns, channels) with a kernel (window rows, window columns,
/// channels / groups, filters).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dGeometry {
    /// From row to row.
    pub rows: Axis,
    /// From column to column.
    pub columns: Axis,
    /// The channels of the input.
    pub channels: usize,
    /// The channels of the output.
    pub filters: usize,
    /// The channels and the filters are cut into so many groups, each a convolution of its own.
    pub groups: usize,
}

impl Conv2dGeometry {
    /// The numbers in one image.
    pub const fn input_size(&self) -> usize {
        self.rows.input * self.columns.input * self.channels
    }

    /// The numbers in one output.
    pub const fn output_size(&self) -> usize {
        self.rows.output * self.columns.output * self.filters
    }

    /// The input channels that a filter sees.
    pub const fn group_channels(&self) -> usize {
        self.channels / self.groups
    }

    /// The filters of a group.
    pub const fn group_filters(&self) -> usize {
        self.filters / self.groups
    }

    /// The taps of a window.
    pub const fn window(&self) -> usize {
        self.rows.window * self.columns.window
    }

    /// The numbers that one filter adds up.
    pub const fn depth(&self) -> usize {
        self.window() * self.group_channels()
    }

    /// The multiplications and additions of one image.
    pub const fn operations(&self) -> usize {
        self.output_size() * self.depth()
    }

    /// The partial sums that the weights' gradient is made of. It depends on the sizes alone, so
    /// that the result does not depend on the number of threads.
    pub const fn parts(&self, batch: usize) -> usize {
        let most = match SUMS / (self.depth() * self.filters + 1) {
            0..2 => 2,
            2..16 => SUMS / (self.depth() * self.filters + 1),
            _ => 16,
        };
        if batch == 0 { 1 } else { min(most, batch) }
    }

    /// The numbers of memory that the two passes are lent: a copy of the kernel in panels of up to
    /// 16 columns more than it has, and the partial sums of its gradient and the bias'.
    pub const fn scratch(&self, batch: usize) -> usize {
        let (channels, filters) = (self.group_channels(), self.group_filters());
        let forward = self.groups * (self.depth() + 1) * filters.next_multiple_of(PANEL);
        let backward =
            self.groups * (self.window() * filters + 1) * channels.next_multiple_of(PANEL);
        let sums = self.parts(batch) * (self.depth() + 1) * self.filters;
        if forward > backward + sums {
            forward
        } else {
            backward + sums
        }
    }
}

/// Pooling of images (rows, columns, channels), each channel on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dGeometry {
    /// From row to row.
    pub rows: Axis,
    /// From column to column.
    pub columns: Axis,
    /// The channels.
    pub channels: usize,
}

impl Pool2dGeometry {
    /// The numbers in one image.
    pub const fn input_size(&self) -> usize {
        self.rows.input * self.columns.input * self.channels
    }

    /// The numbers in one output.
    pub const fn output_size(&self) -> usize {
        self.rows.output * self.columns.output * self.channels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_pads_as_keras_does() {
        // (input, window, stride, dilation) -> (output, padding)
        for (axis, output, padding) in [
            (Axis::same(5, 3, 1, 1), 5, (1, 1)),
            (Axis::same(6, 3, 2, 1), 3, (0, 1)),
            (Axis::same(5, 3, 2, 1), 3, (1, 1)),
            (Axis::same(5, 2, 1, 1), 5, (0, 1)),
            (Axis::same(5, 3, 1, 2), 5, (2, 2)),
            (Axis::same(4, 1, 3, 1), 2, (0, 0)),
            (Axis::same(1, 4, 2, 1), 1, (1, 2)),
        ] {
            assert_eq!((axis.output, axis.padding), (output, padding), "{axis:?}");
        }
    }

    #[test]
    fn valid_needs_room_for_a_window() {
        assert_eq!(Axis::valid(28, 3, 1, 1).map(|axis| axis.output), Some(26));
        assert_eq!(Axis::valid(13, 2, 2, 1).map(|axis| axis.output), Some(6));
        assert_eq!(Axis::valid(5, 3, 1, 2).map(|axis| axis.output), Some(1));
        assert_eq!(Axis::valid(4, 3, 1, 2), None);
    }

    #[test]
    fn taps_and_windows_find_each_other() {
        let mut axes = vec![Axis::whole(5)];
        for input in 1..9 {
            for window in 1..5 {
                for (stride, dilation) in [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (5, 1)] {
                    axes.push(Axis::same(input, window, stride, dilation));
                    axes.extend(Axis::valid(input, window, stride, dilation));
                }
            }
        }
        for axis in axes {
            for output in 0..axis.output {
                let at = |tap: usize| {
                    let at = (output * axis.stride + tap * axis.dilation) as isize;
                    at - axis.padding.0 as isize
                };
                let on_input: Vec<usize> = (0..axis.window)
                    .filter(|&tap| (0..axis.input as isize).contains(&at(tap)))
                    .collect();
                let taps = axis.taps(output);
                let found: Vec<usize> = (taps.first..taps.first + taps.count).collect();
                assert_eq!(found, on_input, "output {output} of {axis:?}");
                if taps.count > 0 {
                    assert_eq!(at(taps.first), taps.input as isize);
                }
            }
            for input in 0..axis.input {
                let mut seen_by = Vec::new();
                for output in 0..axis.output {
                    for tap in 0..axis.window {
                        let at = (output * axis.stride + tap * axis.dilation) as isize;
                        if at - axis.padding.0 as isize == input as isize {
                            seen_by.push((output, axis.window - 1 - tap));
                        }
                    }
                }
                let taps = axis.windows_over(input);
                let found: Vec<(usize, usize)> = (0..taps.count)
                    .map(|i| (taps.input + i * axis.dilation, taps.first + i * axis.stride))
                    .collect();
                assert_eq!(found, seen_by, "input {input} of {axis:?}");
            }
        }
    }
}
