//! Against loops that follow the definition, in `f64`.

use super::super::simd::Separate;
use super::panels::{pack_body, pack_reversed_body};
use super::patches::Way;
use super::tiles::images_body;
use super::weights::{relu_and_bias, weights_body};
use super::*;
use crate::device::Axis;
use crate::device::cpu::simd::forced::at_every_level;
use crate::random::Key;

fn numbers<F: Float>(stream: u64, len: usize) -> Vec<F> {
    let key = Key::new(7).fold(stream);
    (0..len as u64)
        .map(|at| F::from_f64((2.0 * key.uniform(at) - 1.0) as f32 as f64))
        .collect()
}

struct Definition {
    y: Vec<f64>,
    dw: Vec<f64>,
    db: Vec<f64>,
    dx: Vec<f64>,
}

/// Every product of the definition, one after the other.
fn definition(g: &Conv2dGeometry, batch: usize, x: &[f64], w: &[f64], b: &[f64]) -> Definition {
    let pixels = batch * g.rows.output * g.columns.output;
    let mut d = Definition {
        y: (0..pixels).flat_map(|_| b.iter().copied()).collect(),
        dw: vec![0.0; w.len()],
        db: vec![0.0; b.len()],
        dx: vec![0.0; x.len()],
    };
    let each = |act: &mut dyn FnMut(usize, usize, usize)| {
        for image in 0..batch {
            for (oy, ox) in grid(g.rows.output, g.columns.output) {
                for (ky, kx) in grid(g.rows.window, g.columns.window) {
                    let at = |axis: &Axis, output: usize, tap: usize| {
                        (output * axis.stride + tap * axis.dilation)
                            .checked_sub(axis.padding.0)
                            .filter(|&at| at < axis.input)
                    };
                    let (Some(iy), Some(ix)) = (at(&g.rows, oy, ky), at(&g.columns, ox, kx)) else {
                        continue;
                    };
                    for (c, f) in grid(g.group_channels(), g.filters) {
                        let channel = f / g.group_filters() * g.group_channels() + c;
                        let pixel = (image * g.rows.input + iy) * g.columns.input + ix;
                        let to = (image * g.rows.output + oy) * g.columns.output + ox;
                        let tap = ky * g.columns.window + kx;
                        act(
                            pixel * g.channels + channel,
                            (tap * g.group_channels() + c) * g.filters + f,
                            to * g.filters + f,
                        );
                    }
                }
            }
        }
    };
    each(&mut |from, tap, to| d.y[to] += x[from] * w[tap]);
    let dy: Vec<f64> = numbers(9, d.y.len());
    let dy: Vec<f64> = dy
        .iter()
        .zip(&d.y)
        .map(|(&dy, &y)| if y > 0.0 { dy } else { 0.0 })
        .collect();
    each(&mut |from, tap, to| {
        d.dw[tap] += x[from] * dy[to];
        d.dx[from] += w[tap] * dy[to];
    });
    for (to, dy) in dy.iter().enumerate() {
        d.db[to % g.filters] += dy;
    }
    d
}

fn grid(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

fn close<F: Float>(what: &str, g: &Conv2dGeometry, found: &[F], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (Float::to_f64(*found) - expected).abs();
        assert!(
            error <= 1e-4,
            "{what} at {at}: {found}, expected {expected}, of {g:?}"
        );
    }
}

/// What a call computes of the numbers of [`definition`]: y, dw, db, dx.
fn compute<F: Float>(g: &Conv2dGeometry, batch: usize) -> [Vec<F>; 4] {
    let nan = |len: usize| vec![F::nan(); len];
    let (inputs, outputs) = (batch * g.input_size(), batch * g.output_size());
    let (x, w, b) = (
        numbers::<F>(1, inputs),
        numbers::<F>(2, g.depth() * g.filters),
        numbers::<F>(3, g.filters),
    );
    let mut scratch = nan(g.scratch(batch));
    let mut y = nan(outputs);
    forward(g, batch, &x, &w, Some(&b), true, &mut y, &mut scratch);
    scratch.fill(F::nan());
    let (mut dw, mut db, mut dx) = (nan(w.len()), nan(b.len()), nan(inputs));
    let mut dy = numbers(9, outputs);
    let gradients = Gradients {
        kernel: Some(&mut dw),
        bias: Some(&mut db),
        input: Some(&mut dx),
    };
    gradient(g, batch, &x, &w, Some(&y), &mut dy, gradients, &mut scratch);
    [y, dw, db, dx]
}

fn check(g: &Conv2dGeometry, batch: usize) {
    let expected = definition(
        g,
        batch,
        &numbers(1, batch * g.input_size()),
        &numbers(2, g.depth() * g.filters),
        &numbers(3, g.filters),
    );
    let rectified: Vec<f64> = expected.y.iter().map(|y| y.max(0.0)).collect();
    let [y, dw, db, dx] = compute::<f32>(g, batch);
    close("y", g, &y, &rectified);
    close("dw", g, &dw, &expected.dw);
    close("db", g, &db, &expected.db);
    close("dx", g, &dx, &expected.dx);
    let [y, dw, db, dx] = compute::<f64>(g, batch);
    close("y", g, &y, &rectified);
    close("dw", g, &dw, &expected.dw);
    close("db", g, &db, &expected.db);
    close("dx", g, &dx, &expected.dx);
}

fn geometries() -> Vec<(Conv2dGeometry, usize)> {
    let mut all = Vec::new();
    let mut key = (0..).map(|at| Key::new(3).bits(at) as usize);
    let mut below = |n: usize| key.next().map_or(0, |bits| bits % n);
    while all.len() < 150 {
        let mut axis = |slow: bool| {
            let (window, input) = (1 + below(4), 1 + below(9));
            let stride = if slow { 1 } else { 1 + below(3) };
            let dilation = if slow { 1 + below(3) } else { 1 };
            match below(2) {
                0 => Axis::valid(input, window, stride, dilation),
                _ => Some(Axis::same(input, window, stride, dilation)),
            }
        };
        let slow = all.len() % 2 == 0;
        let (Some(rows), Some(columns)) = (axis(slow), axis(slow)) else {
            continue;
        };
        let groups = [1, 1, 2, 3][below(4)];
        let geometry = Conv2dGeometry {
            rows,
            columns,
            channels: groups * (1 + below(14)),
            filters: groups * (1 + below(40)),
            groups,
        };
        all.push((geometry, 1 + below(5)));
    }
    // Enough filters to be packed, and more pixels than are packed together.
    for (groups, filters) in [(1, 100), (2, 97)] {
        let axis = Axis::same(10, 3, 1, 1);
        let geometry = Conv2dGeometry {
            rows: axis,
            columns: axis,
            channels: 5 * groups,
            filters: groups * filters,
            groups,
        };
        all.push((geometry, 5));
    }
    all
}

#[test]
fn every_geometry_follows_the_definition() {
    let geometries = geometries();
    at_every_level(|| {
        for (geometry, batch) in &geometries {
            check(geometry, *batch);
        }
    });
}

#[test]
fn the_result_does_not_depend_on_the_threads() {
    let axis = Axis::same(13, 3, 1, 1);
    let geometry = Conv2dGeometry {
        rows: axis,
        columns: axis,
        channels: 5,
        filters: 33,
        groups: 1,
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| compute::<f32>(&geometry, 21))
    };
    assert_eq!(on(1), on(3));
}

/// What `compute` computes, with the tiles of a given level.
fn compute_in_tiles<const R: usize, const W: usize, const H: usize>(
    g: &Conv2dGeometry,
    batch: usize,
) -> [Vec<f64>; 3] {
    let nan = |len: usize| vec![f64::NAN; len];
    let (inputs, outputs) = (batch * g.input_size(), batch * g.output_size());
    let (x, w, b) = (
        numbers(1, inputs),
        numbers(2, g.depth() * g.filters),
        numbers(3, g.filters),
    );
    let (mut y, mut dx, mut dw) = (nan(outputs), nan(inputs), vec![0.0; w.len()]);
    let mut panels = nan(g.scratch(batch));
    let used = pack_body::<f64, Separate, W, H>(g, &w, Some(&b), &mut panels);
    images_body::<f64, Separate, R, W, H>(g, Way::Forward, &x, &panels[..used], true, &mut y);
    let mut dy = numbers(9, outputs);
    relu_and_bias(Some(&y), &mut dy, None, g.filters);
    let used = pack_reversed_body::<f64, Separate, W, H>(g, &w, &mut panels);
    images_body::<f64, Separate, R, W, H>(g, Way::Backward, &dy, &panels[..used], false, &mut dx);
    weights_body::<f64, Separate, R, W, H>(g, &x, &dy, &mut dw);
    [y, dw, dx]
}

#[test]
fn tiles_of_every_size_compute_the_same() {
    for (geometry, batch) in geometries().into_iter().take(40) {
        let [y, dw, _, dx] = compute::<f64>(&geometry, batch);
        for found in [
            compute_in_tiles::<4, 8, 4>(&geometry, batch),
            compute_in_tiles::<6, 16, 8>(&geometry, batch),
            compute_in_tiles::<12, 32, 16>(&geometry, batch),
        ] {
            for (found, expected) in found.iter().zip([&y, &dw, &dx]) {
                close("a tile", &geometry, found, expected);
            }
        }
    }
}
