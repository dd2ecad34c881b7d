//! Functions of lines: of the elements along the last axis of a batch, or along any others.

use super::axes::{Axes, Places};
use super::batches::{BatchFunction, BatchLoss, BatchView};
use super::cpu::simd::Separate;
#[cfg(any(feature = "cuda", feature = "testing", test))]
use super::cuda::{BatchKernel, Formula, OfLine, Program};
use super::rows::{MeanOf, PairLoss, RowLoss};
use super::{Float, cpu};

/// What becomes of many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fold {
    /// Their sum.
    Sum,
    /// The largest; NaN if one is.
    Max,
    /// None: each is an element of the gradient.
    Gradient,
}

/// One line of targets and predictions, as a [`LineRule`] sees it.
///
/// Functions of its elements get `[t, p, at]`: the target, the prediction, and its place in the line.
/// One target may stand for the whole line.
#[derive(Debug)]
pub struct Line<'a, F> {
    y_true: &'a [F],
    y_pred: &'a [F],
    /// Where the gradient goes, and what it is multiplied with.
    gradient: Option<(&'a mut [F], F)>,
}

impl<'a, F: Float> Line<'a, F> {
    /// The line of these elements: y_true as long as y_pred, or one target for all.
    pub fn new(y_true: &'a [F], y_pred: &'a [F], gradient: Option<(&'a mut [F], F)>) -> Self {
        Self {
            y_true,
            y_pred,
            gradient,
        }
    }

    /// How many elements it has.
    pub fn width(&self) -> F {
        #[cfg(any(feature = "cuda", feature = "testing", test))]
        if let Some(width) = F::width_of_line() {
            return width;
        }
        F::from_usize(self.y_pred.len())
    }

    /// The number at a place in the line, of numbers that are not the line's: such as a weight for each class.
    pub fn one_of(numbers: &[f32], at: F) -> F {
        #[cfg(any(feature = "cuda", feature = "testing", test))]
        if let Some(number) = F::one_of(numbers, at) {
            return number;
        }
        let number = at.to_usize().and_then(|at| numbers.get(at));
        F::from_f32(number.copied().unwrap_or(0.0))
    }

    /// The sum of a function of each element.
    #[inline]
    pub fn sum(&self, of: impl Fn([F; 3]) -> F) -> F {
        #[cfg(any(feature = "cuda", feature = "testing", test))]
        if let Some(sum) = F::over_line(Fold::Sum, &of) {
            return sum;
        }
        let elements = self.elements();
        F::from_f64(elements.map(|element| of(element).to_f64()).sum())
    }

    /// The largest value of a function of each element; NaN if one is.
    #[inline]
    pub fn max(&self, of: impl Fn([F; 3]) -> F) -> F {
        #[cfg(any(feature = "cuda", feature = "testing", test))]
        if let Some(max) = F::over_line(Fold::Max, &of) {
            return max;
        }
        let larger = |a: F, b: F| if a > b || a.is_nan() { a } else { b };
        self.elements().map(of).fold(F::neg_infinity(), larger)
    }

    /// Writes the gradient, if somebody wants it: the function is the derivative of the line's value
    /// with regard to each prediction. To be called once.
    #[inline]
    pub fn gradient(&mut self, of: impl Fn([F; 3]) -> F) {
        #[cfg(any(feature = "cuda", feature = "testing", test))]
        if F::over_line(Fold::Gradient, &of).is_some() {
            return;
        }
        if let Some((gradient, factor)) = self.gradient.take() {
            for (d, element) in gradient.iter_mut().zip(self.elements()) {
                *d = factor * of(element);
            }
        }
    }

    fn elements(&self) -> impl Iterator<Item = [F; 3]> + use<'a, F> {
        let (y_true, y_pred) = (self.y_true, self.y_pred);
        let is_single = y_true.len() != y_pred.len();
        y_pred.iter().enumerate().map(move |(at, &p)| {
            let target = if is_single { 0 } else { at };
            [y_true[target], p, F::from_usize(at)]
        })
    }
}

/// A function of one line, with its derivative if it is a loss, written once for every device.
///
/// It is made of sums and maxima over the elements, so that a device can run it for many lines and
/// many elements at a time: what depends on an element is computed in functions that are given to
/// [`Line`].
pub trait LineRule {
    /// The value of a line; [`Line::gradient`] is given its derivative.
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F;

    /// As [`LineLoss::ignored_target`].
    fn ignored_target(&self) -> Option<f32> {
        None
    }
}

/// A function of one line, with its derivative if it is a loss, behind `dyn`. Most are
/// [`LineRule`]s; those that are not run on the CPU, whatever the device.
pub trait LineLoss<F> {
    /// The value of a line: y_true as wide as y_pred, or one target for all. `gradient`, which comes
    /// with a factor, becomes the factor times the derivative with regard to `y_pred`.
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F;

    /// Lines whose one target is this number are left out: their loss is 0 and they are not counted.
    fn ignored_target(&self) -> Option<f32> {
        None
    }

    /// Where its value is the mean of a function of pairs, the formula of a pair, with its derivative
    /// if that is asked for.
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn formula(&self, with_slope: bool) -> Option<Formula> {
        let _ = with_slope;
        None
    }

    /// What the GPU runs for a line.
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn program(&self, with_gradient: bool) -> Option<Program> {
        let _ = with_gradient;
        None
    }
}

impl<F: Float, L: LineRule> LineLoss<F> for L {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        self.compute(&mut Line::new(y_true, y_pred, gradient))
    }

    fn ignored_target(&self) -> Option<f32> {
        LineRule::ignored_target(self)
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn program(&self, with_gradient: bool) -> Option<Program> {
        Program::of(with_gradient, &|line| self.compute(line))
    }
}

impl<F: Float, P: PairLoss> LineLoss<F> for MeanOf<P> {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        mean_of_pairs(self, &mut Line::new(y_true, y_pred, gradient))
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn formula(&self, with_slope: bool) -> Option<Formula> {
        Formula::of(2, &|x, y| {
            let (value, slope) = self.0.value_and_gradient::<_, Separate>(x[0], x[1]);
            y.push(value);
            y.extend(with_slope.then_some(slope));
        })
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn program(&self, with_gradient: bool) -> Option<Program> {
        Program::of(with_gradient, &|line| mean_of_pairs(self, line))
    }
}

fn mean_of_pairs<F: Float, P: PairLoss>(mean: &MeanOf<P>, line: &mut Line<'_, F>) -> F {
    let pair = |[t, p, _]: [F; 3]| mean.0.value_and_gradient::<F, Separate>(t, p);
    let (width, sum) = (line.width(), line.sum(|element| pair(element).0));
    line.gradient(|element| pair(element).1 / width);
    sum / width
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

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn program(&self, with_gradient: bool) -> Option<Program> {
        Program::of_row(with_gradient, &self.0)
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

/// A function of each line along some axes.
pub struct Lines<'a, F> {
    /// The function.
    pub function: &'a dyn LineLoss<F>,
    /// The axes that lines run along.
    pub axes: &'a Axes,
}

impl<F: Float> Lines<'_, F> {
    /// The value of a line.
    fn line(
        &self,
        places: &Places,
        batch: &BatchView<&[F]>,
        line: usize,
        gradient: Option<(&mut [F], F)>,
        scratch: &mut [F],
    ) -> F {
        let (count, width) = (places.count, places.width);
        // One target for the whole line, or for several.
        let targets = batch.y_true.len();
        let is_single = targets < count * width;
        let target = line * targets / count;
        if places.are_slices {
            let part = line * width..(line + 1) * width;
            let y_true = match is_single {
                true => &batch.y_true[target..=target],
                false => &batch.y_true[part.clone()],
            };
            let gradient = gradient.map(|(gradient, factor)| (&mut gradient[part.clone()], factor));
            return self.function.line(y_true, &batch.y_pred[part], gradient);
        }
        let (y_true, scratch) = scratch.split_at_mut(width);
        let (y_pred, scratch) = scratch.split_at_mut(width);
        let d = &mut scratch[..width];
        places.gather(line, batch.y_pred, y_pred);
        let y_true = match is_single {
            true => &batch.y_true[target..=target],
            false => {
                places.gather(line, batch.y_true, y_true);
                y_true
            }
        };
        let Some((gradient, factor)) = gradient else {
            return self.function.line(y_true, y_pred, None);
        };
        let value = self.function.line(y_true, y_pred, Some((d, factor)));
        places.scatter(line, d, gradient);
        value
    }
}

impl<F: Float> BatchFunction<F> for Lines<'_, F> {
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
            *value = self.line(&places, batch, line, None, scratch);
        }
    }

    fn samples(&self, batch: &BatchView<&[F]>) -> usize {
        Places::of(batch, self.axes).samples()
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn on_gpu(
        &self,
        batch: &BatchView<()>,
        with_gradient: bool,
        of_pairs: bool,
    ) -> Option<BatchKernel> {
        let is_last = self.axes.is_last(&batch.y_true_shape, &batch.y_pred_shape);
        if of_pairs
            && is_last
            && let Some(formula) = self.function.formula(with_gradient)
        {
            return Some(BatchKernel::Pairs(formula));
        }
        Some(BatchKernel::Lines {
            function: OfLine::Program(self.function.program(with_gradient)?),
            places: Places::of(batch, self.axes),
            ignored: self.function.ignored_target(),
        })
    }

    fn has_mask(&self) -> bool {
        self.function.ignored_target().is_some()
    }

    fn counts(&self, batch: &BatchView<&[F]>, at: usize, _value: F) -> bool {
        let ignored = self.function.ignored_target().map(F::from_f32);
        ignored.is_none() || batch.y_true.get(at).copied() != ignored
    }
}

impl<F: Float> BatchLoss<F> for Lines<'_, F> {
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
            self.line(&places, batch, line, gradient, scratch);
        }
    }
}
