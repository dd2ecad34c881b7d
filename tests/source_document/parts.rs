//! Row M4: models from intermediate tensors, which share layers and weights with the whole.

use keras::prelude::*;
use ndarray::{Array4, ArrayD};

use crate::{assert_close, random};

#[model]
fn full_model(inputs: Input<_, _, 3>) -> FullModel {
    let processed = RandomCrop(32, 32)(inputs);
    let conv = Conv2D(2, kernel_size = 3)(processed);
    let pooling = GlobalAveragePooling2D()(conv);
    let feature = Dense(10)(pooling);
    let backbone = Model(processed, conv);
    let activations = Model(conv, feature);
    Model(inputs, feature)
}

/// A model that has been trained on images of a size it was not told of.
fn trained() -> keras::Result<FullModel> {
    let mut model = FullModel::with_seed(4);
    model.compile(Compile::new(SGD::new(0.05), "mse"))?;
    let images = random((12, 40, 36, 3), 41);
    let history = model.fit(
        (&images, random((12, 10), 42)),
        Fit::epochs(3).batch_size(4).verbose(0),
    )?;
    let losses = history.get("loss").unwrap_or_default();
    assert!(losses[2] < losses[0], "{losses:?}");
    Ok(model)
}

fn quiet() -> Predict<'static> {
    Predict::batch_size(4).verbose(0)
}

#[test]
fn m4_the_parts_are_the_layers_of_the_whole() -> keras::Result<()> {
    let mut model = trained()?;
    let whole = model.get_weights();
    assert_eq!(model.backbone().get_weights(), whole[..2]);
    assert_eq!(model.activations().get_weights(), whole[2..]);
    let names = |layers: Vec<String>| layers.join(" ");
    let of_backbone = model
        .backbone()
        .layers()
        .iter()
        .map(|l| l.name().to_owned())
        .collect();
    let of_activations = model
        .activations()
        .layers()
        .iter()
        .map(|l| l.name().to_owned())
        .collect();
    assert_eq!(names(of_backbone), "conv2d");
    assert_eq!(names(of_activations), "global_average_pooling2d dense");
    Ok(())
}

#[test]
fn m4_the_parts_extract_features_as_the_whole_does() -> keras::Result<()> {
    let mut model = trained()?;
    // The crop of an image of 32 x 32 pixels is the image.
    let images = random((3, 32, 32, 3), 43);
    let conv = model.backbone().predict(&images, quiet())?;
    assert_eq!(conv.shape(), [3, 30, 30, 2]);
    let feature = model.activations().predict(&conv, quiet())?;
    assert_eq!(feature.shape(), [3, 10]);
    assert_close(&feature, &model.predict(&images, quiet())?);
    Ok(())
}

#[test]
fn m4_the_weights_are_shared_both_ways() -> keras::Result<()> {
    let mut model = trained()?;
    let images = random((2, 32, 32, 3), 44);
    let before = model.backbone().predict(&images, quiet())?;
    let cropped = random((12, 32, 32, 3), 45);
    model.fit((&cropped, random((12, 10), 46)), Fit::epochs(1).verbose(0))?;
    assert_ne!(
        model.backbone().predict(&images, quiet())?,
        before,
        "the whole was trained"
    );

    let zeros: Vec<ArrayD<f32>> = (model.backbone().get_weights().iter())
        .map(|weight| ArrayD::zeros(weight.shape()))
        .collect();
    model.backbone().set_weights(&zeros)?;
    assert_eq!(model.get_weights()[..2], zeros[..]);
    let bias = model.get_weights()[3].clone();
    let outputs = model.predict(&images, quiet())?;
    assert_close(&outputs, bias.iter().chain(&bias).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn m4_images_may_have_any_height_and_width() -> keras::Result<()> {
    let mut model = trained()?;
    for (height, width) in [(32, 32), (50, 33), (20, 64), (7, 5)] {
        let images = Array4::<f32>::from_elem((2, height, width, 3), 0.5);
        assert_eq!(model.predict(&images, quiet())?.shape(), [2, 10]);
    }
    let grey = Array4::<f32>::zeros((2, 40, 40, 1));
    let message = model
        .predict(&grey, quiet())
        .err()
        .map(|error| error.to_string());
    let message = message.unwrap_or_default();
    assert!(
        message.contains("found shape=(None, 40, 40, 1)"),
        "{message}"
    );
    Ok(())
}
