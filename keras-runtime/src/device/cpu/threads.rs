//! When to use the second core: `rayon::join` costs one to two microseconds inside the pool and
//! about ten from outside, so work below [`WORTH_A_THREAD`] stays on one thread.

use std::ops::Range;

/// Multiply-adds (or as many bytes moved, divided by four) from which a second thread pays.
pub const WORTH_A_THREAD: usize = 250_000;

/// Splits `0..rows` into one range a thread, cut at multiples of `step`, and runs `work` on each.
///
/// `operations` is the size of the whole job; a small one runs here and now. `split` cuts the
/// job's output at a row so that every range owns its part.
pub fn over_rows<T: Send>(
    rows: usize,
    step: usize,
    operations: usize,
    output: T,
    split: &(impl Fn(T, usize) -> (T, T) + Sync),
    work: &(impl Fn(Range<usize>, T) + Sync + ?Sized),
) {
    let pieces = if operations < WORTH_A_THREAD {
        1
    } else {
        rayon::current_num_threads()
    };
    recurse(0..rows, step.max(1), pieces, output, split, work);
}

fn recurse<T: Send>(
    rows: Range<usize>,
    step: usize,
    pieces: usize,
    output: T,
    split: &(impl Fn(T, usize) -> (T, T) + Sync),
    work: &(impl Fn(Range<usize>, T) + Sync + ?Sized),
) {
    let half = (rows.len() / 2).div_ceil(step) * step;
    if pieces < 2 || half == 0 || half >= rows.len() {
        return work(rows, output);
    }
    let (first, second) = split(output, half);
    let middle = rows.start + half;
    let (mut first, mut second) = (Some(first), Some(second));
    both(
        &mut || {
            if let Some(first) = first.take() {
                recurse(rows.start..middle, step, pieces / 2, first, split, work);
            }
        },
        &mut || {
            if let Some(second) = second.take() {
                let pieces = pieces - pieces / 2;
                recurse(middle..rows.end, step, pieces, second, split, work);
            }
        },
    );
}

/// The same for rows of `width` numbers that lie in a slice: compiled once, not for each job.
pub fn over_slice<F: Send>(
    rows: usize,
    step: usize,
    operations: usize,
    output: &mut [F],
    width: usize,
    work: &(dyn Fn(Range<usize>, &mut [F]) + Sync),
) {
    if operations < WORTH_A_THREAD {
        return work(0..rows, output);
    }
    over_rows(
        rows,
        step,
        operations,
        output,
        &|output: &mut [F], row| output.split_at_mut(row * width),
        work,
    );
}

/// Runs two jobs, on two threads if one is free. Rayon's part is compiled once, not for each job.
pub fn both(first: &mut (dyn FnMut() + Send), second: &mut (dyn FnMut() + Send)) {
    rayon::join(first, second);
}
