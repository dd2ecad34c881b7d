//! Images of another size.

use super::context::{Area, Argument, blocks, count};
use super::on_gpus;
use crate::device::{Images, Resize};

static IMAGES: Area = Area {
    name: "images",
    source: include_str!("images.cu"),
};

/// The sizes in the words of the kernels.
fn words(sizes: &Resize) -> [u32; 9] {
    let [height, width, channels] = sizes.input;
    let [out_height, out_width] = sizes.output;
    let window = &sizes.window;
    [
        height,
        width,
        channels,
        window.top,
        window.left,
        window.height,
        window.width,
        out_height,
        out_width,
    ]
    .map(|size| u32::try_from(size).unwrap_or(u32::MAX))
}

/// Whether there is nothing to do.
fn is_empty(sizes: &Resize) -> bool {
    sizes.batch * sizes.input.iter().chain(&sizes.output).product::<usize>() == 0
}

on_gpus! {
    impl Images {
        fn resize(&self, sizes: Resize, x: Self::Slice<'_>, y: Self::SliceMut<'_>) {
            if is_empty(&sizes) {
                return;
            }
            let (words, len) = (words(&sizes), y.len);
            let arguments = [x.argument(), y.argument(), Argument::Words(&words), count(len)];
            y.context
                .launch(&IMAGES, "resize", None, blocks(len), &arguments);
        }

        fn resize_gradient(&self, sizes: Resize, dy: Self::Slice<'_>, dx: Self::SliceMut<'_>) {
            if is_empty(&sizes) {
                return;
            }
            let (words, len) = (words(&sizes), dx.len);
            let arguments = [dy.argument(), dx.argument(), Argument::Words(&words), count(len)];
            dx.context
                .launch(&IMAGES, "resize_gradient", None, blocks(len), &arguments);
        }
    }
}
