//! The metrics that are the mean of a function of targets and predictions. They differ in the
//! function, in the targets that they take, and in what is better.

/// Defines a metric whose value is `Σ w f / Σ w`.
///
/// The function f is one of
/// * `rows` or `elements`: a [`RowFunction`](crate::device::RowFunction) of each row along the last
///   axis, or of each element;
/// * `lines`: a [`LineLoss`](crate::device::LineLoss) of each row, behind `dyn`;
/// * `lines along axis`: the same of each line along an axis that can be chosen;
/// * `batches`: a [`BatchFunction`](crate::device::BatchFunction) with a value for each row.
///
/// `config` is the table of its further [arguments](crate::config::arguments).
macro_rules! mean_metric {
    (
        $(#[$meta:meta])*
        struct $ty:ident: $name:literal;
        mean of lines along axis: $function:ty = $value:expr;
        targets: $fits:ident;
        better: $direction:ident;
        $(config { $($config:tt)* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) own: $crate::metrics::Own,
            function: $function,
            axis: isize,
        }

        impl $ty {
            /// The metric with Keras' defaults.
            pub const fn new() -> Self {
                Self {
                    own: $crate::metrics::Own::new($name),
                    function: $value,
                    axis: -1,
                }
            }

            /// The axis that lines of values lie along, the samples being axis 0; -1, the last one, by
            /// default.
            #[must_use]
            pub const fn axis(mut self, axis: isize) -> Self {
                self.axis = axis;
                self
            }

            fn axes(&self) -> $crate::device::Axes {
                $crate::device::Axes::One(self.axis)
            }
        }

        $crate::config::arguments!($ty: own { $($($config)*)? });

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            $crate::metrics::mean_metric::mean_metric!(@common $ty $direction);

            fn check(
                &self,
                y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> $crate::Result<()> {
                $crate::metrics::mean_metric::mean_metric!(@fits $fits self y_true y_pred)
            }

            fn values(
                &self,
                y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> $crate::shape::Shape {
                match self.axes().rest(1, y_true, y_pred).split_first() {
                    Some((_, rest)) => $crate::shape::Shape::new(rest),
                    None => $crate::shape::Shape::SCALAR,
                }
            }

            fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
                input.line_mean(&self.function, &self.axes());
                Ok(())
            }
        }
    };
    (
        $(#[$meta:meta])*
        struct $ty:ident: $name:literal;
        mean of $of:ident: $function:ty = $value:expr;
        targets: $fits:ident;
        better: $direction:ident;
        $(config { $($config:tt)* })?
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

        $crate::config::arguments!($ty: own { $($($config)*)? });

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            $crate::metrics::mean_metric::mean_metric!(@common $ty $direction);

            fn check(
                &self,
                y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> $crate::Result<()> {
                $crate::losses::$fits(y_true, y_pred)
            }

            $crate::metrics::mean_metric::mean_metric!(@update $of);
        }
    };
    (@common $ty:ident $direction:ident) => {
        $crate::metrics::metric::described!($ty);

        fn name(&self) -> &str {
            self.own.name()
        }

        fn validate(&self) -> $crate::Result<()> {
            self.own.validate()
        }

        fn direction(&self) -> $crate::metrics::Direction {
            $crate::metrics::Direction::$direction
        }
    };
    (@fits classes $metric:ident $y_true:ident $y_pred:ident) => {
        $crate::losses::classes_along($metric.axis, $y_true, $y_pred)
    };
    (@fits $fits:ident $metric:ident $y_true:ident $y_pred:ident) => {{
        $crate::losses::$fits($y_true, $y_pred)?;
        $metric.axes().check($y_true, $y_pred)
    }};
    (@update rows) => {
        fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
            let rows = input.rows();
            input.row_mean(self.function, rows);
            Ok(())
        }
    };
    (@update elements) => {
        fn values(
            &self,
            y_true: &$crate::shape::Shape,
            y_pred: &$crate::shape::Shape,
        ) -> $crate::shape::Shape {
            $crate::metrics::metric::elements(y_true, y_pred)
        }

        fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
            let elements = input.elements();
            input.row_mean(self.function, elements);
            Ok(())
        }
    };
    (@update lines) => {
        fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
            input.line_mean(&self.function, &$crate::device::Axes::LAST);
            Ok(())
        }
    };
    (@update batches) => {
        fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
            input.batch_mean(&self.function);
            Ok(())
        }
    };
}
pub(super) use mean_metric;
