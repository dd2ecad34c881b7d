//! A warm training step allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use keras::data::{Batch, IntoTable};
use keras::prelude::*;
use ndarray::{Array, Array1, Array2, Array4};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread takes part in the training: the test runner's own threads do not.
    static COUNTS: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTS.try_with(Cell::get).unwrap_or(false) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

sequential! {
    Mlp<32>;
    Dense(64, activation = relu),
    Dense(64, activation = tanh),
    Dropout(0.3),
    Dense(10, activation = softmax),
}

sequential! {
    Convnet<12, 12, 1>;
    Conv2D(16, 3, activation = relu),
    BatchNormalization,
    MaxPooling2D(2),
    Conv2D(32, 3, padding = same),
    Activation(relu),
    GlobalAveragePooling2D,
    Dropout(0.5),
    Dense(10, activation = softmax),
}

/// The allocations of twenty steps after a few to warm up; full batches and short ones.
fn allocations<M: Model>(
    mut model: M,
    batch: &Batch<'_>,
    loss: &str,
    metrics: &[&str],
) -> keras::Result<usize> {
    model.compile(Compile::new("adam", loss).metrics(metrics.iter().copied()))?;
    model.begin(batch, true)?;
    let short = Batch {
        rows: &batch.rows[..batch.rows.len() / 2],
        ..*batch
    };
    let mut counted = 0;
    // Also waits until all threads of the pool have begun.
    rayon::broadcast(|_| COUNTS.set(true));
    // Inside the pool, as `fit` runs it.
    rayon::scope(|_| -> keras::Result<()> {
        for step in 0..25 {
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            model.train_step(if step % 3 == 2 { &short } else { batch })?;
            if step >= 5 {
                counted += ALLOCATIONS.load(Ordering::Relaxed) - before;
            }
        }
        Ok(())
    })?;
    Ok(counted)
}

#[test]
fn a_warm_step_allocates_nothing() -> keras::Result<()> {
    let rows: Vec<u32> = (0..64).collect();
    let labels = [Array1::from_shape_fn(64, |i| (i % 10) as f32)
        .into_table()?
        .expanded()];
    let vectors = [Array2::from_elem((64, 32), 0.5f32).into_table()?];
    let images: Array4<f32> = Array::from_elem((64, 12, 12, 1), 0.5);
    let images = [images.into_table()?];
    let batch = |inputs| Batch {
        inputs,
        targets: &labels,
        sample_weights: &[],
        rows: &rows,
    };
    let loss = "sparse_categorical_crossentropy";
    let metrics = ["accuracy", "sparse_top_k_categorical_accuracy"];
    assert_eq!(
        allocations(Convnet::with_seed(1), &batch(&images), loss, &metrics)?,
        0,
        "in the convnet"
    );
    // Of rows, of lines, of the whole batch.
    for loss in [loss, "categorical_generalized_cross_entropy", "circle"] {
        assert_eq!(
            allocations(Mlp::with_seed(1), &batch(&vectors), loss, &metrics)?,
            0,
            "in the MLP with {loss}"
        );
    }
    let one_hot =
        Array2::from_shape_fn((64, 10), |(i, class)| f32::from(u8::from(i % 10 == class)));
    let one_hot = [one_hot.into_table()?];
    let batch = Batch {
        targets: &one_hot,
        ..batch(&vectors)
    };
    // Of rows, of lines, of the whole batch; counts of thresholds, of columns.
    let metrics = [
        "categorical_crossentropy",
        "pearson_correlation",
        "hinge",
        "auc",
        "r2_score",
    ];
    assert_eq!(
        allocations(Mlp::with_seed(1), &batch, "mse", &metrics)?,
        0,
        "in the MLP with many metrics"
    );
    Ok(())
}
