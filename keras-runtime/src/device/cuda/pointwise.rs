//! Functions of single numbers that are no activations.

use super::context::{Area, Argument, blocks, count};
use super::on_gpus;
use crate::device::{DropoutMask, Pointwise};

static POINTWISE: Area = Area {
    name: "pointwise",
    source: include_str!("pointwise.cu"),
};

on_gpus! {
    impl Pointwise {
        fn rescale(&self, scale: f32, offset: f32, x: Self::Slice<'_>, y: Self::SliceMut<'_>) {
            let arguments = [
                x.argument(),
                y.argument(),
                Argument::Number(scale),
                Argument::Number(offset),
                count(y.len),
            ];
            y.context
                .launch(&POINTWISE, "rescale", None, blocks(y.len), &arguments);
        }

        fn dropout(&self, mask: DropoutMask, x: Self::Slice<'_>, y: Self::SliceMut<'_>) {
            let ([first, second], threshold, scale) = mask.parts();
            let arguments = [
                x.argument(),
                y.argument(),
                Argument::Count(first),
                Argument::Count(second),
                Argument::Count(threshold),
                Argument::Number(scale),
                count(y.len),
            ];
            y.context
                .launch(&POINTWISE, "dropout", None, blocks(y.len), &arguments);
        }
    }
}
