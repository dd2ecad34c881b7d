//! Losses and metrics of a whole batch that are not worth vector units: compiled once, behind `dyn`.
//!
//! Most of them are functions of lines ([`LineLoss`]): the elements along the last axis, or along any
//! others. What looks at several lines at once is a [`BatchLoss`] of its own.

use super::cpu::simd::Separate;
#[cfg(any(feature = "cuda", feature = "testing", test))]
use super::cuda::Formula;
use super::host::on_hosts;
use super::rows::{MeanOf, PairLoss, RowLoss};
use super::{Float, Memory, Reduction, cpu};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The targets and predictions of a batch. `S` is the device's view of memory.
#[derive(Clone, Copy, Debug)]
pub struct BatchView<S> {
    /// The number of samples.
    pub samples: usize,
    /// The targets: (samples, ..y_true_shape).
    pub y_true: S,
    /// The shape of one sample's target.
    pub y_true_shape: Shape,
    /// The predictions: (samples, ..y_pred_shape).
    pub y_pred: S,
    /// The shape of one sample's prediction.
    pub y_pred_shape: Shape,
}

/// What a metric or a loss computes of a batch: one value or several.
pub trait BatchFunction<F> {
    /// How many values it has.
    fn count(&self, batch: &BatchView<&[F]>) -> usize;
    /// How many numbers of scratch memory it needs.
    fn scratch(&self, batch: &BatchView<&[F]>) -> usize {
        let _ = batch;
        0
    }
    /// Writes its values.
    fn values(&self, batch: &BatchView<&[F]>, values: &mut [F], scratch: &mut [F]);
    /// How many samples the values of a metric stand for: those of the batch, unless lines run along
    /// them.
    fn samples(&self, batch: &BatchView<&[F]>) -> usize {
        batch.samples
    }
    /// Whether some of its values may not count.
    fn has_mask(&self) -> bool {
        false
    }
    /// Where its values are means of a function of pairs along the last axis, the formula of a pair, with
    /// its derivative if that is asked for: the GPU has no kernel for anything else.
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn formula(&self, y_true: &Shape, y_pred: &Shape, with_slope: bool) -> Option<Formula> {
        let _ = (y_true, y_pred, with_slope);
        None
    }
    /// Whether a value counts. One that does not is 0.
    fn counts(&self, batch: &BatchView<&[F]>, at: usize, value: F) -> bool {
        let _ = (batch, at, value);
        true
    }
}

/// A [`BatchFunction`] with its derivative.
pub trait BatchLoss<F>: BatchFunction<F> {
    /// Writes the derivative of `Σ factors[i] · values[i]` with regard to `y_pred`, all of it.
    fn gradient(
        &self,
        batch: &BatchView<&[F]>,
        factors: &[F],
        gradient: &mut [F],
        scratch: &mut [F],
    );
}

/// Sums of functions of a batch.
pub trait BatchSums: Memory {
    /// `sums[0] += samples · L` with `L = Σ wᵢ valueᵢ / denominator`, the denominator being the
    /// [`Reduction`]'s; where `gradient` is given with a factor it becomes the factor times the
    /// derivative of `L`; where `values` is given it becomes the values, without weights.
    ///
    /// A weight stands for one value, or for as many in a row as there are of them to each. If there
    /// are more weights than values, as for one value of a whole batch, each value is counted once
    /// with each.
    #[allow(clippy::too_many_arguments)]
    fn batch_loss(
        &self,
        loss: &dyn BatchLoss<Self::Elem>,
        reduction: Reduction,
        batch: BatchView<Self::Slice<'_>>,
        weights: Option<Self::Slice<'_>>,
        gradient: Option<(Self::SliceMut<'_>, f32)>,
        values: Option<Self::SliceMut<'_>>,
        sums: Self::SliceMut<'_>,
    );
    /// `sums[0] += Σ wᵢ valueᵢ / v`, `sums[1] += Σ wᵢ / v` with v values a sample. Without weights,
    /// values that do not count are counted as 0 all the same, as in Keras.
    fn batch_mean(
        &self,
        function: &dyn BatchFunction<Self::Elem>,
        batch: BatchView<Self::Slice<'_>>,
        weights: Option<Self::Slice<'_>>,
        sums: Self::SliceMut<'_>,
    );
}

on_hosts! {
    impl BatchSums {
        fn batch_loss(
            &self,
            loss: &dyn BatchLoss<Self::Elem>,
            reduction: Reduction,
            batch: BatchView<Self::Slice<'_>>,
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            values: Option<Self::SliceMut<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::batches::loss(loss, reduction, batch, weights, gradient, values, sums);
        }
        fn batch_mean(
            &self,
            function: &dyn BatchFunction<Self::Elem>,
            batch: BatchView<Self::Slice<'_>>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::batches::mean(function, batch, weights, sums);
        }
    }
}

/// What a metric computes of one line.
pub trait LineFunction<F> {
    /// The value of a line: y_true as wide as y_pred, or one target for all.
    fn value(&self, y_true: &[F], y_pred: &[F]) -> F;

    /// Lines whose one target is this number are left out, as in
    /// [`RowFunction::ignored_target`](super::RowFunction::ignored_target).
    fn ignored_target(&self) -> Option<f32> {
        None
    }

    /// As [`BatchFunction::formula`].
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn formula(&self, with_slope: bool) -> Option<Formula> {
        let _ = with_slope;
        None
    }
}

impl<F> LineFunction<F> for dyn LineLoss<F> + '_ {
    fn value(&self, y_true: &[F], y_pred: &[F]) -> F {
        self.line(y_true, y_pred, None)
    }

    fn ignored_target(&self) -> Option<f32> {
        LineLoss::ignored_target(self)
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn formula(&self, with_slope: bool) -> Option<Formula> {
        LineLoss::formula(self, with_slope)
    }
}

/// A [`LineFunction`] with its derivative.
pub trait LineLoss<F> {
    /// The value of a line: y_true as wide as y_pred, or one target for all. `gradient`, which comes
    /// with a factor, becomes the factor times the derivative with regard to `y_pred`.
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F;

    /// Lines whose one target is this number are left out: their loss is 0 and they are not counted.
    fn ignored_target(&self) -> Option<f32> {
        None
    }

    /// As [`BatchFunction::formula`].
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn formula(&self, with_slope: bool) -> Option<Formula> {
        let _ = with_slope;
        None
    }
}

impl<F: Float, P: PairLoss> LineLoss<F> for MeanOf<P> {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        let width = y_pred.len();
        let target = |at: usize| y_true[if y_true.len() == width { at } else { 0 }];
        let mut sum = 0.0;
        match gradient {
            Some((gradient, factor)) => {
                let factor = factor / F::from_usize(width);
                for (at, (&p, d)) in y_pred.iter().zip(gradient).enumerate() {
                    let (value, derivative) =
                        self.0.value_and_gradient::<F, Separate>(target(at), p);
                    *d = factor * derivative;
                    sum += value.to_f64();
                }
            }
            None => {
                for (at, &p) in y_pred.iter().enumerate() {
                    sum += self.0.value::<F, Separate>(target(at), p).to_f64();
                }
            }
        }
        F::from_f64(sum / width as f64)
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn formula(&self, with_slope: bool) -> Option<Formula> {
        Formula::of(2, &|x, y| {
            let (value, slope) = self.0.value_and_gradient::<_, Separate>(x[0], x[1]);
            y.push(value);
            y.extend(with_slope.then_some(slope));
        })
    }
}

/// A loss of rows, without its vector units, as one of lines.
pub(crate) struct OfRow<L>(pub L);

impl<F: Float, L: RowLoss> LineLoss<F> for OfRow<L> {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        let width = y_pred.len();
        if L::IS_MEAN && y_true.len() != width {
            // A mean has as many targets as predictions.
            return F::with_scratch(width, |repeated| {
                repeated.fill(y_true.first().copied().unwrap_or_default());
                line_of_row(&self.0, repeated, y_pred, gradient)
            });
        }
        line_of_row(&self.0, y_true, y_pred, gradient)
    }

    fn ignored_target(&self) -> Option<f32> {
        self.0.ignored_target()
    }
}

/// [`LineLoss::line`] of a loss that has vector units elsewhere.
pub(crate) fn line_of_row<F: Float, L: RowLoss>(
    loss: &L,
    y_true: &[F],
    y_pred: &[F],
    gradient: Option<(&mut [F], F)>,
) -> F {
    cpu::rows::line(*loss, y_true, y_pred, gradient)
}

/// Axes of a batch, as Keras numbers them: the samples are axis 0, the last axis is -1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Axes {
    /// All of them.
    All,
    /// One.
    One(isize),
    /// Several.
    Several(Vec<isize>),
}

impl From<isize> for Axes {
    fn from(axis: isize) -> Self {
        Self::One(axis)
    }
}

impl<const N: usize> From<[isize; N]> for Axes {
    fn from(axes: [isize; N]) -> Self {
        Self::Several(axes.into())
    }
}

impl From<Vec<isize>> for Axes {
    fn from(axes: Vec<isize>) -> Self {
        Self::Several(axes)
    }
}

/// A flag for each axis of a batch.
type Flags = [bool; Shape::MAX_RANK + 1];

impl Axes {
    /// The last axis.
    pub const LAST: Self = Self::One(-1);
    /// No axis: every element is a line.
    pub const NONE: Self = Self::Several(Vec::new());

    /// Whether predictions of this shape have these axes.
    ///
    /// # Errors
    /// With Keras' sentence, if they have not.
    pub fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        let rank = Dims::of(0, y_true, y_pred).rank;
        let is_outside = |axis: &&isize| Self::position(**axis, rank).is_none();
        match self.list().iter().find(is_outside) {
            None => Ok(()),
            Some(axis) => Err(Error::value(format!(
                "axis {axis} is out of bounds for array of dimension {rank}"
            ))),
        }
    }

    /// How many elements lie along them, unless the samples do.
    pub fn width(&self, y_true: &Shape, y_pred: &Shape) -> Option<usize> {
        let dims = Dims::of(1, y_true, y_pred);
        let flags = self.flags(dims.rank);
        let along = (1..dims.rank).filter(|axis| flags[*axis]);
        (!flags[0]).then(|| along.map(|axis| dims.sizes[axis]).product())
    }

    /// Whether it is the last axis of predictions of this shape.
    pub fn is_last(&self, y_true: &Shape, y_pred: &Shape) -> bool {
        let rank = Dims::of(0, y_true, y_pred).rank;
        let flags = self.flags(rank);
        (0..rank).all(|axis| flags[axis] == (axis + 1 == rank))
    }

    /// The sizes of the other axes: the shape of the values of a batch.
    pub fn rest(&self, samples: usize, y_true: &Shape, y_pred: &Shape) -> Vec<usize> {
        let dims = Dims::of(samples, y_true, y_pred);
        let flags = self.flags(dims.rank);
        let kept = (0..dims.rank).filter(|axis| !flags[*axis]);
        kept.map(|axis| dims.sizes[axis]).collect()
    }

    fn list(&self) -> &[isize] {
        match self {
            Self::All => &[],
            Self::One(axis) => std::slice::from_ref(axis),
            Self::Several(axes) => axes,
        }
    }

    fn position(axis: isize, rank: usize) -> Option<usize> {
        let from_start = if axis < 0 { axis + rank as isize } else { axis };
        usize::try_from(from_start).ok().filter(|&axis| axis < rank)
    }

    fn flags(&self, rank: usize) -> Flags {
        let mut flags = [matches!(self, Self::All); Shape::MAX_RANK + 1];
        for &axis in self.list() {
            if let Some(axis) = Self::position(axis, rank) {
                flags[axis] = true;
            }
        }
        flags
    }
}

/// The sizes of a batch of predictions as Keras compares them with targets: (n,) beside (n, 1) is
/// (n, 1), and (.., t, 1) beside (.., t) is (.., t).
struct Dims {
    sizes: [usize; Shape::MAX_RANK + 1],
    rank: usize,
}

impl Dims {
    fn of(samples: usize, y_true: &Shape, y_pred: &Shape) -> Self {
        let is_squeezed =
            y_true.rank() > 0 && y_pred.rank() == y_true.rank() + 1 && y_pred.last() == 1;
        let sample = match y_pred.dims() {
            [] => &[1],
            _ if is_squeezed => y_true.dims(),
            dims => dims,
        };
        let mut sizes = [1; Shape::MAX_RANK + 1];
        sizes[0] = samples;
        sizes[1..=sample.len()].copy_from_slice(sample);
        Self {
            sizes,
            rank: 1 + sample.len(),
        }
    }
}

/// A function of each line along some axes.
pub struct Lines<'a, L: ?Sized> {
    /// The function: `dyn LineFunction` or `dyn LineLoss`.
    pub function: &'a L,
    /// The axes that lines run along.
    pub axes: &'a Axes,
}

/// Where the lines of a batch are.
struct Places {
    dims: Dims,
    /// The axes that lines run along.
    along: Flags,
    count: usize,
    width: usize,
    /// Whether lines run along the last axes: they are slices.
    are_slices: bool,
}

impl Places {
    fn of<F>(batch: &BatchView<&[F]>, axes: &Axes) -> Self {
        let dims = Dims::of(batch.samples, &batch.y_true_shape, &batch.y_pred_shape);
        let along = axes.flags(dims.rank);
        let sizes = |of_lines: bool| {
            (0..dims.rank)
                .filter(|axis| along[*axis] == of_lines)
                .map(|axis| dims.sizes[axis])
                .product()
        };
        Self {
            count: sizes(false),
            width: sizes(true),
            are_slices: (1..dims.rank).all(|axis| along[axis] || !along[axis - 1]),
            dims,
            along,
        }
    }

    /// Where the element number `index` lies among those of the axes that are, or are not, along the
    /// lines.
    fn offset(&self, mut index: usize, along: bool) -> usize {
        let (mut offset, mut stride) = (0, 1);
        for axis in (0..self.dims.rank).rev() {
            let size = self.dims.sizes[axis];
            if self.along[axis] == along {
                offset += index % size * stride;
                index /= size;
            }
            stride *= size;
        }
        offset
    }

    /// Copies a line.
    fn gather<F: Float>(&self, line: usize, from: &[F], to: &mut [F]) {
        let start = self.offset(line, false);
        for (at, to) in to.iter_mut().enumerate() {
            *to = from[start + self.offset(at, true)];
        }
    }

    /// Copies a line back.
    fn scatter<F: Float>(&self, line: usize, from: &[F], to: &mut [F]) {
        let start = self.offset(line, false);
        for (at, from) in from.iter().enumerate() {
            to[start + self.offset(at, true)] = *from;
        }
    }
}

/// What is computed of a line: y_true, y_pred, and the gradient if it comes with a factor.
type OfLine<'a, F> = dyn Fn(&[F], &[F], Option<(&mut [F], F)>) -> F + 'a;

impl Places {
    /// The value of a line.
    fn line<F: Float>(
        &self,
        batch: &BatchView<&[F]>,
        line: usize,
        gradient: Option<(&mut [F], F)>,
        scratch: &mut [F],
        of_line: &OfLine<'_, F>,
    ) -> F {
        let (count, width) = (self.count, self.width);
        // One target for the whole line, or for several.
        let targets = batch.y_true.len();
        let is_single = targets < count * width;
        let target = line * targets / count;
        if self.are_slices {
            let part = line * width..(line + 1) * width;
            let y_true = match is_single {
                true => &batch.y_true[target..=target],
                false => &batch.y_true[part.clone()],
            };
            let gradient = gradient.map(|(gradient, factor)| (&mut gradient[part.clone()], factor));
            return of_line(y_true, &batch.y_pred[part], gradient);
        }
        let (y_true, scratch) = scratch.split_at_mut(width);
        let (y_pred, scratch) = scratch.split_at_mut(width);
        let d = &mut scratch[..width];
        self.gather(line, batch.y_pred, y_pred);
        let y_true = match is_single {
            true => &batch.y_true[target..=target],
            false => {
                self.gather(line, batch.y_true, y_true);
                y_true
            }
        };
        let Some((gradient, factor)) = gradient else {
            return of_line(y_true, y_pred, None);
        };
        let value = of_line(y_true, y_pred, Some((d, factor)));
        self.scatter(line, d, gradient);
        value
    }
}

impl<F: Float, L: LineFunction<F> + ?Sized> BatchFunction<F> for Lines<'_, L> {
    fn count(&self, batch: &BatchView<&[F]>) -> usize {
        Places::of(batch, self.axes).count
    }

    fn scratch(&self, batch: &BatchView<&[F]>) -> usize {
        let places = Places::of(batch, self.axes);
        if places.are_slices {
            0
        } else {
            3 * places.width
        }
    }

    fn values(&self, batch: &BatchView<&[F]>, values: &mut [F], scratch: &mut [F]) {
        let places = Places::of(batch, self.axes);
        for (line, value) in values.iter_mut().enumerate() {
            *value = places.line(batch, line, None, scratch, &|y_true, y_pred, _| {
                self.function.value(y_true, y_pred)
            });
        }
    }

    fn samples(&self, batch: &BatchView<&[F]>) -> usize {
        let places = Places::of(batch, self.axes);
        let first = (0..places.dims.rank).find(|axis| !places.along[*axis]);
        first.map_or(1, |axis| places.dims.sizes[axis])
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn formula(&self, y_true: &Shape, y_pred: &Shape, with_slope: bool) -> Option<Formula> {
        let is_last = self.axes.is_last(y_true, y_pred);
        is_last.then(|| self.function.formula(with_slope)).flatten()
    }

    fn has_mask(&self) -> bool {
        self.function.ignored_target().is_some()
    }

    fn counts(&self, batch: &BatchView<&[F]>, at: usize, _value: F) -> bool {
        let ignored = self.function.ignored_target().map(F::from_f32);
        ignored.is_none() || batch.y_true.get(at).copied() != ignored
    }
}

impl<F: Float> BatchLoss<F> for Lines<'_, dyn LineLoss<F> + '_> {
    fn gradient(
        &self,
        batch: &BatchView<&[F]>,
        factors: &[F],
        gradient: &mut [F],
        scratch: &mut [F],
    ) {
        let places = Places::of(batch, self.axes);
        for (line, &factor) in factors.iter().enumerate() {
            let gradient = Some((&mut *gradient, factor));
            places.line(
                batch,
                line,
                gradient,
                scratch,
                &|y_true, y_pred, gradient| self.function.line(y_true, y_pred, gradient),
            );
        }
    }
}
