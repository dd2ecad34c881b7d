//! The metrics that are the mean of a function of rows. They differ in the function, in the targets
//! that they take, and in what is better.

/// Defines a metric whose value is `Σ w f / Σ w`, with a function f of each row along the last axis,
/// or of each element.
macro_rules! mean_metric {
    (
        $(#[$meta:meta])*
        struct $ty:ident: $name:literal;
        mean of $of:ident: $function:ty = $value:expr;
        targets: $fits:ident;
        better: $direction:ident;
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) own: $crate::metrics::Own,
            function: $function,
        }

        impl $ty {
            /// The metric with Keras' defaults.
            pub const fn new() -> Self {
                Self {
                    own: $crate::metrics::Own::new($name),
                    function: $value,
                }
            }
        }

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            fn name(&self) -> &str {
                self.own.name()
            }

            fn validate(&self) -> $crate::Result<()> {
                self.own.validate()
            }

            fn check(
                &self,
                y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> $crate::Result<()> {
                $crate::losses::$fits(y_true, y_pred)
            }

            fn values(
                &self,
                y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> $crate::shape::Shape {
                $crate::metrics::metric::$of(y_true, y_pred)
            }

            fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
                let rows = input.$of();
                input.row_mean(self.function, rows);
                Ok(())
            }

            fn direction(&self) -> $crate::metrics::Direction {
                $crate::metrics::Direction::$direction
            }
        }
    };
}
pub(super) use mean_metric;
