//! What defines the metrics of the confusion matrix.

/// What a metric with a field `confusion` does in the same way as every other one.
macro_rules! confusion_methods {
    () => {
        fn name(&self) -> &str {
            self.own.name()
        }

        fn variables(
            &self,
            _y_true: &$crate::shape::Shape,
            y_pred: &$crate::shape::Shape,
        ) -> usize {
            self.confusion.variables(y_pred.last())
        }

        fn values(
            &self,
            y_true: &$crate::shape::Shape,
            y_pred: &$crate::shape::Shape,
        ) -> $crate::shape::Shape {
            $crate::metrics::metric::elements(y_true, y_pred)
        }
    };
    // What has no arguments that shapes and weights depend on.
    (all) => {
        $crate::metrics::confusion::confusion_methods!();

        fn validate(&self) -> $crate::Result<()> {
            self.own.validate()
        }

        fn check(
            &self,
            y_true: &$crate::shape::Shape,
            y_pred: &$crate::shape::Shape,
        ) -> $crate::Result<()> {
            self.confusion.check(y_true, y_pred)
        }

        fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
            self.confusion.update(&[], input);
            Ok(())
        }
    };
}
pub(in crate::metrics) use confusion_methods;

/// Defines a metric with a value for each of the user's thresholds.
macro_rules! threshold_metric {
    (
        $(#[$meta:meta])*
        struct $ty:ident: $name:literal;
        value: $value:expr;
        better: $direction:ident;
        $(with $write:ident;)?
    ) => {
        $(#[$meta])*
        ///
        /// A prediction is positive if it is greater than the threshold, a target if it is not 0. With
        /// several thresholds there is a value for each.
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) own: $crate::metrics::Own,
            confusion: $crate::metrics::confusion::Confusion,
        }

        impl $ty {
            /// The metric with a threshold of 0.5.
            pub fn new() -> Self {
                Self {
                    own: $crate::metrics::Own::numbered($name),
                    confusion: $crate::metrics::confusion::Confusion::new(),
                }
            }

            /// A threshold, or several, between 0 and 1.
            #[must_use]
            pub fn thresholds(
                mut self,
                thresholds: impl Into<$crate::metrics::ThresholdList>,
            ) -> Self {
                self.confusion.set_thresholds(&mut self.own, thresholds.into().0);
                self
            }
        }

        impl $crate::config::Arguments for $ty {
            fn write(&self, config: &mut $crate::config::Object) {
                self.own.write(config);
                config.set("thresholds", self.confusion.given());
                $(self.confusion.$write(config);)?
            }

            fn read(&mut self, name: &str, value: &$crate::config::Json) -> $crate::Result<bool> {
                Ok(self.own.read(name, value)? || self.confusion.read(&mut self.own, name, value)?)
            }
        }

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            $crate::metrics::metric::described!($ty);
            $crate::metrics::confusion::confusion_methods!(all);

            fn results(&self, state: &[f32], values: &mut Vec<f32>) {
                self.confusion.results(state, $value, values);
            }

            fn direction(&self) -> $crate::metrics::Direction {
                $crate::metrics::Direction::$direction
            }
        }
    };
}
pub(in crate::metrics) use threshold_metric;

/// The arguments of metrics that may look at some classes only.
macro_rules! classes_of {
    ($ty:ident) => {
        impl $ty {
            /// Only the k largest predictions of a row can be positive; without thresholds all of
            /// them are.
            #[must_use]
            pub fn top_k(mut self, k: usize) -> Self {
                self.confusion.set_top_k(k);
                self
            }

            /// The only class that counts; by default all do.
            #[must_use]
            pub fn class_id(mut self, class: usize) -> Self {
                self.confusion.set_class_id(class);
                self
            }
        }
    };
}
pub(in crate::metrics) use classes_of;

/// Defines a metric that is the best value at any threshold where another value is high enough.
macro_rules! constrained_metric {
    (
        $(#[$meta:meta])*
        struct $ty:ident($argument:ident): $name:literal;
        best: $best:ident;
        at_least: $constrained:ident;
    ) => {
        $(#[$meta])*
        ///
        /// A prediction is positive if it is greater than the threshold, a target if it is not 0.
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) own: $crate::metrics::Own,
            confusion: $crate::metrics::confusion::Confusion,
            $argument: f32,
        }

        impl $ty {
            #[doc = concat!("The metric for a `", stringify!($argument), "` between 0 and 1, with 200 thresholds.")]
            pub fn new($argument: f32) -> Self {
                let mut confusion = $crate::metrics::confusion::Confusion::new();
                confusion.spread(200);
                let metric = Self {
                    own: $crate::metrics::Own::numbered($name),
                    confusion,
                    $argument,
                };
                metric.checked()
            }

            fn checked(mut self) -> Self {
                let $argument = self.$argument;
                self.own.require((0.0..=1.0).contains(&$argument), || {
                    format!(
                        "Argument `{0}` must be in the range [0, 1]. Received: {0}={1:?}",
                        stringify!($argument),
                        $argument
                    )
                });
                self
            }

            /// How many thresholds are tried; 200 by default.
            #[must_use]
            pub fn num_thresholds(mut self, num_thresholds: usize) -> Self {
                self.own.require(num_thresholds > 0, || {
                    format!(
                        "Argument `num_thresholds` must be an integer > 0. Received: num_thresholds={num_thresholds}"
                    )
                });
                self.confusion.spread(num_thresholds);
                self
            }

            /// The only class that counts; by default all do.
            #[must_use]
            pub fn class_id(mut self, class: usize) -> Self {
                self.confusion.set_class_id(class);
                self
            }
        }

        impl $crate::config::Arguments for $ty {
            fn write(&self, config: &mut $crate::config::Object) {
                self.own.write(config);
                config.set("class_id", self.confusion.class_id().map($crate::config::Json::from));
                config.set("num_thresholds", self.confusion.len());
                config.set(
                    stringify!($argument),
                    $crate::config::Argument::to_json(&self.$argument),
                );
            }

            fn read(&mut self, name: &str, value: &$crate::config::Json) -> $crate::Result<bool> {
                match name {
                    "num_thresholds" => {
                        let count = $crate::metrics::confusion::read_count(name, value)?;
                        *self = self.clone().num_thresholds(count);
                    }
                    stringify!($argument) => {
                        self.$argument = $crate::config::Read::read(value, name)?;
                        *self = self.clone().checked();
                    }
                    _ => {
                        return Ok(self.own.read(name, value)?
                            || self.confusion.read(&mut self.own, name, value)?);
                    }
                }
                Ok(true)
            }
        }

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            $crate::metrics::metric::described!($ty);
            $crate::metrics::confusion::confusion_methods!(all);

            fn result(&self, state: &[f32]) -> f32 {
                self.confusion
                    .descending(state, 0)
                    .filter(|matrix| matrix.$constrained() >= self.$argument)
                    .map(|matrix| matrix.$best())
                    .fold(0.0, f32::max)
            }

            fn direction(&self) -> $crate::metrics::Direction {
                $crate::metrics::Direction::Up
            }
        }
    };
}
pub(in crate::metrics) use constrained_metric;
