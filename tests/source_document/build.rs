//! Row M7: `build`, for models whose input shape is not known when they are made, and its four errors.

use keras::prelude::*;
use ndarray::array;

use crate::random;

#[model]
struct Merged {
    #[layer(4)]
    dense: Dense,
}

#[model]
impl Merged {
    fn call(&self, left: Tensor, right: Tensor) -> Tensor {
        self.dense(left) + self.dense(right)
    }
}

/// The sentence of an error.
#[track_caller]
fn sentence<T>(result: keras::Result<T>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn m7_a_model_is_built_from_one_shape_a_list_or_a_dictionary_of_shapes() -> keras::Result<()> {
    let mut model = sequential![Dense(2, activation = relu), Dense(3)];
    assert!(!model.is_built() && model.get_weights().is_empty());
    model.build(&[None, Some(4)])?;
    assert_eq!(model.count_params(), 4 * 2 + 2 + 2 * 3 + 3);

    let mut of_list = Merged::new();
    of_list.build_all(&[&[None, Some(3)], &[None, Some(3)]])?;
    assert_eq!(of_list.count_params(), 16);
    let mut of_names = Merged::new();
    of_names.build_by_name(&[("right", &[None, Some(3)]), ("left", &[Some(8), Some(3)])])?;
    assert_eq!(of_names.count_params(), 16);
    Ok(())
}

#[test]
fn m7_error_1_the_data_is_no_valid_shape() {
    let mut model = sequential![Dense(2)];
    let shapes: [(&[Option<usize>], &str); 3] = [
        (
            &[],
            "`build()` expects a shape that begins with the batch axis",
        ),
        (
            &[None, Some(0)],
            "`build()` expects positive dimensions. Received: [None, Some(0)]",
        ),
        (
            &[Some(1); 8],
            "`build()` expects at most 6 axes after the batch axis. Received: 7",
        ),
    ];
    for (shape, expected) in shapes {
        let found = sentence(model.build(shape));
        assert!(found.starts_with(expected), "{found}");
    }
    let shape: &[Option<usize>] = &[None, Some(3)];
    let found = sentence(Merged::new().build_by_name(&[("left", shape), ("wright", shape)]));
    let expected = "There is no input \"wright\". Expected shapes with the following names: [\"left\", \"right\"]. Did \
                    you mean `right`?";
    assert_eq!(found, expected);
    let found = sentence(Merged::new().build_by_name(&[("left", shape)]));
    assert!(
        found.starts_with("Missing shape for input \"right\"."),
        "{found}"
    );
    assert!(!model.is_built());
}

#[test]
fn m7_error_2_call_needs_further_arguments() {
    let found = sentence(Merged::new().build(&[None, Some(3)]));
    let expected = "Currently, you cannot build your model if it has positional or keyword arguments that are not \
                    inputs to the model, but are required for its `call()` method. Instead, give a shape for each \
                    argument of `call()`: [\"left\", \"right\"]. Received: 1 shapes.";
    assert_eq!(found, expected);
}

#[test]
fn m7_error_3_a_layer_cannot_be_built() {
    let mut model = sequential![Dense(2), Conv2D(4, 3)];
    let found = sentence(model.build(&[None, Some(3)]));
    let expected = "Conv2D layer `conv2d`: input is incompatible with the layer: expected ndim=4, found ndim=2. Full \
                    shape received: (None, 2)";
    assert_eq!(found, expected);
    let found = sentence(sequential![Dense(2)].build(&[None, None]));
    let expected = "Dense layer `dense`: The last dimension of the inputs to a Dense layer should be defined. Found \
                    None. Full input shape received: (None, None)";
    assert_eq!(found, expected);
    assert!(!model.is_built());
}

#[test]
fn m7_error_4_a_layer_does_not_support_float_inputs() -> keras::Result<()> {
    let mut model = sequential![Embedding(10, 3), Flatten, Dense(1)];
    let found = sentence(model.build(&[None, Some(4)]));
    let expected = "You cannot build your model by calling `build` if your layers do not support float type inputs. \
                    Instead, in order to instantiate and build your model, call your model on real tensor data (of the \
                    correct dtype). Received: the layer `embedding` (Embedding), which reads whole numbers below 10";
    assert_eq!(found, expected);
    assert!(!model.is_built());

    // As the error says: real data does it.
    let words = array![[1, 2, 3, 9], [0, 0, 7, 1]];
    assert_eq!(
        model
            .predict(&words, Predict::default().verbose(0))?
            .shape(),
        [2, 1]
    );
    assert!(model.is_built());
    Ok(())
}

sequential! {
    Words<2>;
    Embedding(5, 3),
    Flatten,
    Dense(1),
}

#[test]
fn m7_numbers_that_are_not_in_a_table_are_found_before_the_first_step() -> keras::Result<()> {
    let mut model = Words::with_seed(7);
    model.compile(Compile::new("adam", "mse"))?;
    let before = model.get_weights();
    let y = random((3, 1), 7);
    let fit = || Fit::epochs(1).batch_size(1).verbose(0);
    let words = |word: f32| array![[0.0, 1.0], [2.0, 3.0], [4.0, word]];
    for (word, expected) in [
        (
            5.0,
            "Embedding layer `embedding`: indices[2,1] = 5 is not in [0, 5)",
        ),
        (
            -1.0,
            "Embedding layer `embedding`: indices[2,1] = -1 is not in [0, 5)",
        ),
        (
            0.5,
            "Embedding layer `embedding` does not support float type inputs. Expected: whole numbers below 5. \
             Received: indices[2,1] = 0.5",
        ),
    ] {
        let x = words(word);
        assert_eq!(sentence(model.fit((&x, &y), fit())), expected);
        assert_eq!(
            sentence(model.evaluate((&x, &y), Evaluate::default().verbose(0))),
            expected
        );
        assert_eq!(
            sentence(model.predict(&x, Predict::default().verbose(0))),
            expected
        );
        assert_eq!(sentence(model.train_on_batch((&x, &y))), expected);
        assert_eq!(sentence(model.load_on_batch(&x, false)), expected);
    }
    assert_eq!(model.get_weights(), before);
    model.fit((&words(1.0), &y), fit())?;
    assert_ne!(model.get_weights(), before);
    Ok(())
}
