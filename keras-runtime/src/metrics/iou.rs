//! `TP / (TP + FP + FN)` of each class: how far the places where it is and where it is predicted
//! overlap.

use super::{MetricInput, Own};
use crate::config::{self, Argument, Json, Read};
use crate::device::{ClassOf, ClassPairs, Device};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// What keeps quotients finite: `keras.backend.epsilon()`.
const EPSILON: f32 = 1e-7;

/// How many classes a file may ask for: their matrix has as many numbers as there are pairs of them.
const MOST: usize = 1 << 14;

/// The overlap of classes, without its name: what all metrics of the family are.
#[derive(Clone, Debug)]
pub(super) struct Overlap {
    classes: usize,
    targets: Vec<usize>,
    pub ignore_class: Option<i32>,
    pub sparse_y_true: bool,
    pub sparse_y_pred: bool,
    pub axis: isize,
    /// With a threshold predictions are probabilities of class 1.
    pub threshold: Option<f32>,
}

impl Overlap {
    /// Of some of the classes.
    pub fn new(own: &mut Own, classes: usize, targets: Vec<usize>) -> Self {
        // As in Keras, places are counted in whole numbers unless another type is asked for.
        own.set_dtype("int");
        let mut overlap = Self {
            classes,
            targets: Vec::new(),
            ignore_class: None,
            sparse_y_true: true,
            sparse_y_pred: true,
            axis: -1,
            threshold: None,
        };
        overlap.set_targets(own, targets);
        overlap
    }

    /// Of all classes.
    pub fn of_all(own: &mut Own, classes: usize) -> Self {
        Self::new(own, classes, (0..classes).collect())
    }

    pub fn set_targets(&mut self, own: &mut Own, targets: Vec<usize>) {
        let classes = self.classes;
        match targets.iter().max() {
            None => own.require(false, || {
                format!("Expected at least one of {classes} classes. Received: target_class_ids=[]")
            }),
            Some(largest) => own.require(*largest < classes, || {
                format!("Target class id {largest} is out of range, which is [0, {classes}).")
            }),
        }
        self.targets = targets;
    }

    /// An argument as Keras' files have it.
    pub fn argument(&self, own: &Own, name: &str) -> Json {
        match name {
            "num_classes" => self.classes.to_json(),
            "target_class_ids" => self.targets.to_json(),
            "ignore_class" => self.ignore_class.to_json(),
            "sparse_y_true" => self.sparse_y_true.to_json(),
            "sparse_y_pred" => self.sparse_y_pred.to_json(),
            "axis" => self.axis.to_json(),
            "threshold" => self.threshold.to_json(),
            _ => own.argument(name),
        }
    }

    /// Sets an argument; whether it is one of these.
    pub fn read(&mut self, own: &mut Own, name: &str, value: &Json) -> Result<bool> {
        match name {
            "num_classes" => {
                let classes: usize = value.read(name)?;
                if classes > MOST {
                    return Err(Error::value(format!(
                        "Expected at most {MOST} classes. Received: {name}={classes}"
                    )));
                }
                self.classes = classes;
                self.set_targets(own, (0..classes).collect());
            }
            "target_class_ids" => self.set_targets(own, value.read(name)?),
            "ignore_class" => config::read(&mut self.ignore_class, name, value)?,
            "sparse_y_true" => config::read(&mut self.sparse_y_true, name, value)?,
            "sparse_y_pred" => config::read(&mut self.sparse_y_pred, name, value)?,
            "axis" => config::read(&mut self.axis, name, value)?,
            "threshold" => config::read(&mut self.threshold, name, value)?,
            _ => return own.read(name, value),
        }
        Ok(true)
    }

    /// The matrix of classes, twice: see [`Counts`](crate::device::Counts).
    pub fn variables(&self) -> usize {
        2 * self.classes * self.classes
    }

    /// The position of the axis of the classes among those of one sample.
    fn position(&self, shape: &Shape) -> Option<usize> {
        let from_end = self.axis + shape.rank() as isize;
        let position = if self.axis < 0 {
            from_end
        } else {
            self.axis - 1
        };
        usize::try_from(position)
            .ok()
            .filter(|axis| *axis < shape.rank())
    }

    /// The shape of the classes of a sample: numbers, or what is left of rows of numbers.
    fn places(&self, shape: &Shape, is_sparse: bool) -> Shape {
        let dims = shape.dims();
        match self.position(shape) {
            Some(axis) if !is_sparse => Shape::new(&[&dims[..axis], &dims[axis + 1..]].concat()),
            _ => *shape,
        }
    }

    /// The shape of the pairs of a sample.
    pub fn values(&self, y_true: &Shape) -> Shape {
        self.places(y_true, self.sparse_y_true)
    }

    pub fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        for (shape, is_sparse) in [(y_true, self.sparse_y_true), (y_pred, self.sparse_y_pred)] {
            if !is_sparse && self.position(shape).is_none() {
                return Err(Error::value(format!(
                    "axis {} is out of bounds for classes of an array of shape {shape}",
                    self.axis
                )));
            }
        }
        let places = [
            self.places(y_true, self.sparse_y_true).size(),
            self.places(y_pred, self.sparse_y_pred).size(),
        ];
        if places[0] == places[1] {
            return Ok(());
        }
        Err(Error::value(format!(
            "Expected a class of `y_pred` for each class of `y_true`. Received: y_true.shape={y_true}, \
             y_pred.shape={y_pred}"
        )))
    }

    /// Counts a batch.
    pub fn update<D: Device>(&self, own: &Own, input: MetricInput<'_, D>) {
        let places = self.values(&input.y_true_shape).size();
        let class_of = |shape: &Shape, is_sparse: bool| match self.position(shape) {
            Some(axis) if !is_sparse => ClassOf::Maximum {
                len: shape.dim(axis),
                stride: shape.dims()[axis + 1..].iter().product(),
            },
            _ => ClassOf::Number,
        };
        let pairs = ClassPairs {
            classes: self.classes,
            pairs: input.batch * places,
            y_true: class_of(&input.y_true_shape, self.sparse_y_true),
            y_pred: match self.threshold {
                Some(threshold) => ClassOf::AtLeast(threshold),
                None => class_of(&input.y_pred_shape, self.sparse_y_pred),
            },
            ignored: self.ignore_class,
            pairs_per_weight: places / input.weights_per_sample.clamp(1, places.max(1)),
            whole_weights: own.is_whole(),
        };
        input.device.class_counts(
            &pairs,
            input.y_true,
            input.y_pred,
            input.sample_weight,
            input.state,
        );
    }

    /// The mean of the classes that were seen.
    pub fn result(&self, state: &[f32]) -> f32 {
        let count = |target: usize, prediction: usize| state[target * self.classes + prediction];
        let (mut sum, mut seen) = (0.0, 0.0);
        for &class in &self.targets {
            let both = count(class, class);
            let all: f32 = (0..self.classes)
                .map(|other| count(class, other) + count(other, class))
                .sum();
            let either = all - both;
            if either > 1e-9 {
                sum += both / (either + EPSILON);
                seen += 1.0;
            }
        }
        sum / (seen + EPSILON)
    }
}

/// Implements a metric with a field `overlap`, and with what Keras calls its arguments, in Keras' order.
macro_rules! overlap_metric {
    ($ty:ident($($config:ident),+) $(, $argument:ident)*) => {
        impl $crate::config::Arguments for $ty {
            fn write(&self, config: &mut $crate::config::Object) {
                for name in [$(stringify!($config)),+] {
                    config.set(name, self.overlap.argument(&self.own, name));
                }
            }

            fn read(&mut self, name: &str, value: &$crate::config::Json) -> $crate::Result<bool> {
                let is_one = [$(stringify!($config)),+].contains(&name);
                Ok(is_one && self.overlap.read(&mut self.own, name, value)?)
            }
        }

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            $crate::metrics::metric::described!($ty);

            fn name(&self) -> &str {
                self.own.name()
            }

            fn validate(&self) -> $crate::Result<()> {
                self.own.validate()
            }

            fn variables(
                &self,
                _y_true: &$crate::shape::Shape,
                _y_pred: &$crate::shape::Shape,
            ) -> usize {
                self.overlap.variables()
            }

            fn check(
                &self,
                y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> $crate::Result<()> {
                self.overlap.check(y_true, y_pred)
            }

            fn values(
                &self,
                y_true: &$crate::shape::Shape,
                _y_pred: &$crate::shape::Shape,
            ) -> $crate::shape::Shape {
                self.overlap.values(y_true)
            }

            fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
                self.overlap.update(&self.own, input);
                Ok(())
            }

            fn result(&self, state: &[f32]) -> f32 {
                self.overlap.result(state)
            }

            fn direction(&self) -> $crate::metrics::Direction {
                $crate::metrics::Direction::Up
            }
        }

        $($crate::metrics::iou::overlap_metric!(@ $argument $ty);)*
    };
    (@ ignore_class $ty:ident) => {
        impl $ty {
            /// Targets of this class are not counted.
            #[must_use]
            pub const fn ignore_class(mut self, class: i32) -> Self {
                self.overlap.ignore_class = Some(class);
                self
            }
        }
    };
    (@ sparse_y_true $ty:ident) => {
        impl $ty {
            /// Whether targets are numbers of classes, as by default, or rows whose maximum is the
            /// class.
            #[must_use]
            pub const fn sparse_y_true(mut self, is_sparse: bool) -> Self {
                self.overlap.sparse_y_true = is_sparse;
                self
            }
        }
    };
    (@ sparse_y_pred $ty:ident) => {
        impl $ty {
            /// Whether predictions are numbers of classes, or rows whose maximum is the class.
            #[must_use]
            pub const fn sparse_y_pred(mut self, is_sparse: bool) -> Self {
                self.overlap.sparse_y_pred = is_sparse;
                self
            }
        }
    };
    (@ axis $ty:ident) => {
        impl $ty {
            /// The axis that the classes of rows lie along, counted from the samples' or, if it is
            /// negative, from the last one; -1 by default.
            #[must_use]
            pub const fn axis(mut self, axis: isize) -> Self {
                self.overlap.axis = axis;
                self
            }
        }
    };
}
pub(super) use overlap_metric;

/// The mean overlap of some classes: `keras.metrics.IoU`.
///
/// Targets and predictions are numbers of classes. Classes that are neither targets nor predictions
/// do not count.
#[derive(Clone, Debug)]
pub struct IoU {
    pub(super) own: Own,
    overlap: Overlap,
}

impl IoU {
    /// The overlap of the classes `target_class_ids` of `num_classes`.
    pub fn new(num_classes: usize, target_class_ids: impl Into<Vec<usize>>) -> Self {
        let mut own = Own::numbered("io_u");
        Self {
            overlap: Overlap::new(&mut own, num_classes, target_class_ids.into()),
            own,
        }
    }
}

overlap_metric!(
    IoU(
        name,
        dtype,
        num_classes,
        target_class_ids,
        ignore_class,
        sparse_y_true,
        sparse_y_pred,
        axis
    ),
    ignore_class,
    sparse_y_true,
    sparse_y_pred,
    axis
);
