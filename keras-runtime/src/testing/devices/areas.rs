//! The operations that are the same for every layer that uses them.

use super::{Lab, MARGIN, Own};
use crate::device::{
    Activation, Axis, Channels, Conv2dGeometry, Conv2dGradients, Device, DropoutMask,
    FactoredMoments, Float, GammaBeta, Moments, NormBounds, NormRule, NormalizationGradients,
    Pool2dGeometry, Resize, Runs, Ties, Vectors, Window, activation_words as words,
};
use crate::random::Key;

pub fn copies_and_sums<D: Device>(lab: &mut Lab<D>) {
    for len in [1, 255, 257, 1000] {
        let x = lab.random(len);
        let mut y = lab.poisoned(len);
        lab.device.copy(x.read(), y.write());
        lab.device.add(x.read(), y.write());
        lab.keep(format!("twice {len}"), &y);
        lab.device.fill(y.write(), 1.5);
        lab.keep(format!("filled {len}"), &y);
        let mut numbers = lab.numbers(len);
        let is_finite = |x: &Own<D>| {
            let ranges = [MARGIN..MARGIN + len / 3, MARGIN + len / 3..MARGIN + len];
            lab.device.is_finite(&x.buffer, ranges.into_iter())
        };
        assert!(is_finite(&x), "{len} finite numbers");
        numbers[len / 2] = f32::INFINITY;
        assert!(!is_finite(&lab.of(&numbers)), "one of {len} is infinite");
    }
}

/// A function of both sums of squares, with a branch.
#[derive(Clone, Copy)]
struct Ratio {
    least: f32,
}

impl NormRule for Ratio {
    fn factor<F: Float>(&self, of_others: F, of_own: F) -> F {
        if of_others > F::from_f32(self.least) {
            (of_others / of_own).sqrt()
        } else {
            of_own.sqrt()
        }
    }
}

pub fn norms<D: Device>(lab: &mut Lab<D>) {
    for len in [3, 257, 5000] {
        for (least, with_others) in [(0.1, true), (1e9, true), (0.1, false)] {
            let (others, mut x) = (lab.random(len + 1), lab.random(len));
            // Two ranges side by side, and one apart from them.
            let ranges = [0..len / 3, len / 3..len / 2, len / 2 + 1..len];
            let ranges = ranges
                .into_iter()
                .map(|range| MARGIN + range.start..MARGIN + range.end);
            let others = with_others.then(|| others.read());
            let rule = Ratio { least };
            let factor = lab
                .device
                .norm_factor(rule, others, 0.5, &mut x.buffer, ranges.clone());
            // What the device has left to do.
            for range in ranges {
                let of = D::slice_mut(&mut x.buffer, range.clone());
                let mut y = lab.poisoned(range.len());
                lab.device.rescale(factor, 0.0, D::read(&of), y.write());
                lab.device.copy(y.read(), of);
            }
            lab.keep(format!("{len} numbers, {least}, {with_others}"), &x);
        }
    }
}

pub fn gathered_rows<D: Device>(lab: &mut Lab<D>) {
    let table = lab.numbers(7 * 30);
    for width in [1, 7] {
        for rows in [&[3u32, 4, 5, 6][..], &[9, 0, 29, 9, 1], &[12], &[]] {
            let mut y = lab.poisoned(rows.len() * width);
            lab.device.gather(&table, width, rows, y.write());
            lab.keep(format!("{rows:?} of {width}"), &y);
        }
    }
}

pub fn looked_up_rows<D: Device>(lab: &mut Lab<D>) {
    let (rows, width) = (7, 5);
    let table = lab.random(rows * width);
    let indices: Vec<f32> = (0..600).map(|at| (at * 3 % rows) as f32).collect();
    for count in [1, 4, 600] {
        let named = lab.of(&indices[..count]);
        let mut y = lab.poisoned(count * width);
        lab.device
            .look_up(table.read(), width, named.read(), y.write());
        lab.keep(format!("{count} rows"), &y);
        let dy = lab.random(count * width);
        let mut d_table = lab.poisoned(rows * width);
        lab.device
            .look_up_gradient(named.read(), width, dy.read(), d_table.write());
        lab.keep(format!("gradient of {count} rows"), &d_table);
    }
    // Only the first names a row.
    let named = lab.of(&[6.0, 7.0, -1.0, 0.5, f32::NAN]);
    let dy = lab.random(5 * width);
    let mut d_table = lab.poisoned(rows * width);
    lab.device
        .look_up_gradient(named.read(), width, dy.read(), d_table.write());
    lab.keep("gradient of one row", &d_table);
}

pub fn products<D: Device>(lab: &mut Lab<D>) {
    for dims in [[1, 1, 1], [3, 5, 7], [33, 17, 65], [130, 64, 9]] {
        let [m, k, n] = dims;
        let (x, w) = (lab.random(m * k), lab.random(k * n));
        let (bias, dz) = (lab.random(n), lab.random(m * n));
        for (bias, relu) in [
            (None, false),
            (Some(&bias), false),
            (Some(&bias), true),
            (None, true),
        ] {
            let mut y = lab.poisoned(m * n);
            let bias = bias.map(|bias| bias.read());
            lab.device
                .affine(x.read(), w.read(), bias, relu, y.write(), dims);
            lab.keep(format!("affine {dims:?}"), &y);
        }
        let mut dw = lab.poisoned(k * n);
        lab.device
            .weight_gradient(x.read(), dz.read(), dw.write(), dims);
        lab.keep(format!("dw {dims:?}"), &dw);
        let mut dx = lab.poisoned(m * k);
        lab.device
            .input_gradient(dz.read(), w.read(), dx.write(), dims);
        lab.keep(format!("dx {dims:?}"), &dx);
    }
}

fn axis(input: usize, window: usize, stride: usize, dilation: usize, same: bool) -> Axis {
    if same {
        return Axis::same(input, window, stride, dilation);
    }
    match Axis::valid(input, window, stride, dilation) {
        Some(axis) => axis,
        None => panic!("a window of {window} does not fit"),
    }
}

pub fn convolutions<D: Device>(lab: &mut Lab<D>) {
    let geometries = [
        (axis(7, 3, 1, 1, false), axis(9, 3, 1, 1, false), 3, 5, 1),
        (axis(7, 3, 2, 1, true), axis(6, 2, 3, 1, true), 4, 6, 2),
        (axis(8, 3, 1, 2, true), axis(9, 3, 1, 3, false), 2, 3, 1),
        (axis(5, 1, 1, 1, false), axis(4, 1, 1, 1, false), 6, 7, 1),
        (axis(5, 1, 2, 1, false), axis(4, 4, 1, 1, true), 3, 3, 3),
    ];
    for (rows, columns, channels, filters, groups) in geometries {
        let g = Conv2dGeometry {
            rows,
            columns,
            channels,
            filters,
            groups,
        };
        for batch in [1, 3] {
            let x = lab.random(batch * g.input_size());
            let (w, bias) = (lab.random(g.depth() * filters), lab.random(filters));
            let mut scratch = lab.poisoned(g.scratch(batch));
            for (bias, relu) in [(None, false), (Some(&bias), true)] {
                let mut y = lab.poisoned(batch * g.output_size());
                let bias = bias.map(|bias| bias.read());
                lab.device.conv2d(
                    &g,
                    batch,
                    x.read(),
                    w.read(),
                    bias,
                    relu,
                    y.write(),
                    scratch.write(),
                );
                lab.keep(format!("{g:?}"), &y);
                let mut dy = lab.random(batch * g.output_size());
                let (mut dw, mut db) = (lab.poisoned(w.len), lab.poisoned(filters));
                let mut dx = lab.poisoned(x.len);
                lab.device.conv2d_gradient(
                    &g,
                    batch,
                    x.read(),
                    w.read(),
                    relu.then(|| y.read()),
                    dy.write(),
                    Conv2dGradients {
                        kernel: Some(dw.write()),
                        bias: Some(db.write()),
                        input: Some(dx.write()),
                    },
                    scratch.write(),
                );
                for (name, gradient) in [("dw", dw), ("db", db), ("dx", dx)] {
                    lab.keep(format!("{name} of {g:?}"), &gradient);
                }
            }
        }
    }
}

pub fn pooling<D: Device>(lab: &mut Lab<D>) {
    let geometries = [
        (axis(6, 2, 2, 1, false), axis(8, 2, 2, 1, false), 3),
        (axis(7, 3, 2, 1, true), axis(5, 2, 1, 1, true), 4),
        (axis(5, 2, 3, 1, false), axis(7, 3, 1, 1, false), 1),
        (Axis::whole(4), Axis::whole(5), 9),
    ];
    for (rows, columns, channels) in geometries {
        let g = Pool2dGeometry {
            rows,
            columns,
            channels,
        };
        let batch = 2;
        // Few different numbers: some windows have several that are the largest.
        let numbers = lab.numbers(batch * g.input_size());
        let numbers: Vec<f32> = numbers.iter().map(|x| (2.0 * x).round()).collect();
        let (x, dy) = (lab.of(&numbers), lab.random(batch * g.output_size()));
        let mut y = lab.poisoned(dy.len);
        lab.device.max_pool2d(&g, batch, x.read(), y.write());
        lab.keep(format!("max {g:?}"), &y);
        for ties in [Ties::First, Ties::Shared] {
            let mut dx = lab.poisoned(x.len);
            let (x, y, dy) = (x.read(), y.read(), dy.read());
            lab.device
                .max_pool2d_gradient(&g, batch, ties, x, y, dy, dx.write());
            lab.keep(format!("{ties:?} of {g:?}"), &dx);
        }
        let mut y = lab.poisoned(dy.len);
        lab.device.average_pool2d(&g, batch, x.read(), y.write());
        lab.keep(format!("average {g:?}"), &y);
        let mut dx = lab.poisoned(x.len);
        lab.device
            .average_pool2d_gradient(&g, batch, dy.read(), dx.write());
        lab.keep(format!("dx of average {g:?}"), &dx);
    }
}

pub fn normalizations<D: Device>(lab: &mut Lab<D>) {
    for (outer, channels, inner) in [(5, 3, 1), (37, 33, 1), (4, 5, 6), (300, 2, 7)] {
        let all = Channels {
            outer,
            channels,
            inner,
        };
        let (x, dy) = (
            lab.random(outer * channels * inner),
            lab.random(outer * channels * inner),
        );
        let (gamma, beta) = (lab.random(channels), lab.random(channels));
        let mut scratch = lab.poisoned(all.scratch());
        for is_scaled in [true, false] {
            let (gamma, beta) = (is_scaled.then_some(&gamma), is_scaled.then_some(&beta));
            let gamma_beta = || GammaBeta {
                gamma: gamma.map(|gamma| gamma.read()),
                beta: beta.map(|beta| beta.read()),
            };
            let [mut moving_mean, mut moving_variance] = [0, 1].map(|_| lab.random(channels));
            let [mut mean, mut scale] = [0, 1].map(|_| lab.poisoned(channels));
            let mut y = lab.poisoned(x.len);
            lab.device.normalize_batch(
                &all,
                x.read(),
                gamma_beta(),
                1e-3,
                0.9,
                Moments {
                    mean: moving_mean.write(),
                    variance: moving_variance.write(),
                },
                Moments {
                    mean: mean.write(),
                    variance: scale.write(),
                },
                y.write(),
                scratch.write(),
            );
            let [mut d_gamma, mut d_beta] = [0, 1].map(|_| lab.poisoned(channels));
            let mut dx = lab.poisoned(x.len);
            lab.device.normalize_batch_gradient(
                &all,
                x.read(),
                gamma.map(|gamma| gamma.read()),
                [mean.read(), scale.read()],
                dy.read(),
                NormalizationGradients {
                    gamma: Some(d_gamma.write()),
                    beta: Some(d_beta.write()),
                    input: Some(dx.write()),
                },
                scratch.write(),
            );
            for (name, own) in [
                ("moving mean", &moving_mean),
                ("moving variance", &moving_variance),
                ("mean", &mean),
                ("scale", &scale),
                ("y", &y),
                ("d_gamma", &d_gamma),
                ("d_beta", &d_beta),
                ("dx", &dx),
            ] {
                lab.keep(format!("{name} of a batch, {all:?}"), own);
            }
            let variance = lab.probabilities(channels);
            let mut y = lab.poisoned(x.len);
            let moments = [mean.read(), variance.read()];
            lab.device.normalize(
                &all,
                x.read(),
                gamma_beta(),
                moments,
                1e-3,
                y.write(),
                scratch.write(),
            );
            let [mut d_gamma, mut d_beta] = [0, 1].map(|_| lab.poisoned(channels));
            let mut dx = lab.poisoned(x.len);
            lab.device.normalize_gradient(
                &all,
                x.read(),
                gamma.map(|gamma| gamma.read()),
                moments,
                1e-3,
                dy.read(),
                NormalizationGradients {
                    gamma: Some(d_gamma.write()),
                    beta: Some(d_beta.write()),
                    input: Some(dx.write()),
                },
                scratch.write(),
            );
            for (name, own) in [
                ("y", y),
                ("d_gamma", d_gamma),
                ("d_beta", d_beta),
                ("dx", dx),
            ] {
                lab.keep(format!("{name} of given moments, {all:?}"), &own);
            }
        }
    }
}

/// Every function, with arguments where it has some.
const FUNCTIONS: [Activation; 32] = [
    words::celu_with(1.3),
    words::elu_with(0.7),
    words::elu_with(-0.5),
    words::exponential,
    words::gelu_with(false),
    words::gelu_with(true),
    words::glu,
    words::hard_shrink_with(0.3),
    words::hard_sigmoid,
    words::hard_silu,
    words::hard_tanh,
    words::leaky_relu,
    words::leaky_relu_with(-0.5),
    words::linear,
    words::log_sigmoid,
    words::log_softmax,
    words::mish,
    words::relu,
    words::relu_with(0.1, 2.0, 0.5),
    words::relu6,
    words::selu,
    words::sigmoid,
    words::silu,
    words::softmax,
    words::soft_shrink_with(0.2),
    words::softplus,
    words::softsign,
    words::sparse_plus,
    words::sparsemax,
    words::squareplus_with(1.0),
    words::tanh_shrink,
    words::threshold(0.4, -2.0),
];

pub fn activations<D: Device>(lab: &mut Lab<D>) {
    for f in FUNCTIONS
        .into_iter()
        .chain([words::tanh, words::sparse_sigmoid])
    {
        for (rows, width) in [(3, 10), (29, 34)] {
            let numbers = lab.numbers(rows * width);
            let x = lab.of(&numbers.iter().map(|x| 3.0 * x).collect::<Vec<_>>());
            let len = if f.keeps_shape() { x.len } else { x.len / 2 };
            let mut y = lab.poisoned(len);
            lab.device.activate(f, x.read(), y.write(), width);
            lab.keep(format!("{f:?}"), &y);
            let dy = lab.random(len);
            let mut dx = lab.poisoned(x.len);
            let z = f.gradient_needs_input().then(|| x.read());
            lab.device
                .activation_gradient(f, z, y.read(), dy.read(), dx.write(), width);
            lab.keep(format!("the gradient of {f:?}"), &dx);
            if !f.keeps_shape() {
                continue;
            }
            let mut z = lab.poisoned(len);
            lab.device.copy(x.read(), z.write());
            lab.device.activate_in_place(f, z.write(), width);
            lab.keep(format!("{f:?} in place"), &z);
            let (mut dz, mut db) = (lab.poisoned(len), lab.poisoned(width));
            lab.device.copy(dy.read(), dz.write());
            let z = f.gradient_needs_input().then(|| x.read());
            lab.device.bias_activation_gradient(
                f,
                z,
                y.read(),
                dz.write(),
                Some(db.write()),
                width,
            );
            lab.keep(format!("dz of {f:?}"), &dz);
            lab.keep(format!("db of {f:?}"), &db);
        }
    }
    // Sums over many rows are made of parts.
    for (rows, width) in [(700, 3), (130, 70)] {
        let y = lab.random(rows * width);
        let (mut dz, mut db) = (lab.random(rows * width), lab.poisoned(width));
        lab.device.bias_activation_gradient(
            words::relu,
            None,
            y.read(),
            dz.write(),
            Some(db.write()),
            width,
        );
        lab.keep(format!("db of {rows} rows"), &db);
    }
}

pub fn rescaling_and_dropout<D: Device>(lab: &mut Lab<D>) {
    for len in [1, 300, 1025] {
        let x = lab.random(len);
        let mut y = lab.poisoned(len);
        lab.device.rescale(0.3, -1.5, x.read(), y.write());
        lab.keep(format!("rescaled {len}"), &y);
        for rate in [0.0, 0.4, 1.0] {
            let mut y = lab.poisoned(len);
            let mask = DropoutMask::new(Key::new(3), rate);
            lab.device.dropout(mask, x.read(), y.write());
            lab.keep(format!("{rate} of {len} dropped"), &y);
        }
    }
}

pub fn runs<D: Device>(lab: &mut Lab<D>) {
    let from = lab.random(5 * 7 * 11);
    let from_runs = Runs {
        offset: 3,
        strides: [77, 11],
    };
    let to_runs = Runs {
        offset: 1,
        strides: [40, 6],
    };
    let mut to = lab.random(4 * 40 + 7);
    let counts = [4, 6];
    lab.device
        .copy_runs(from.read(), from_runs, to.write(), to_runs, counts, 5);
    lab.keep("runs", &to);
    lab.device
        .copy_runs(from.read(), from_runs, to.write(), to_runs, [0, 6], 5);
    lab.keep("no runs", &to);
}

pub fn resizing<D: Device>(lab: &mut Lab<D>) {
    for output in [[3, 9], [8, 2], [5, 6]] {
        let sizes = Resize {
            batch: 2,
            input: [6, 7, 3],
            window: Window {
                top: 1,
                left: 2,
                height: 5,
                width: 4,
            },
            output,
        };
        let x = lab.random(2 * 6 * 7 * 3);
        let mut y = lab.poisoned(2 * output[0] * output[1] * 3);
        lab.device.resize(sizes, x.read(), y.write());
        lab.keep(format!("{output:?}"), &y);
        let dy = lab.random(y.len);
        let mut dx = lab.poisoned(x.len);
        lab.device.resize_gradient(sizes, dy.read(), dx.write());
        lab.keep(format!("the gradient of {output:?}"), &dx);
    }
}

pub fn penalties<D: Device>(lab: &mut Lab<D>) {
    for len in [1, 77, 3000] {
        let x = lab.random(len);
        let mut sums = lab.random(1);
        lab.device.l1_l2(0.1, 0.02, 1.5, x.read(), sums.write());
        lab.keep(format!("l1 and l2 of {len}"), &sums);
    }
    let x = lab.random(6 * 5);
    let vectors = Vectors {
        count: 5,
        len: 6,
        stride: 1,
        step: 5,
    };
    let (mut sums, mut gradient) = (lab.random(1), lab.random(30));
    let to = Some((gradient.write(), 0.7));
    lab.device
        .orthogonality(vectors, 1.5, x.read(), Some(sums.write()), to);
    lab.keep("cosines", &sums);
    lab.keep("the gradient of cosines", &gradient);
    for dims in [[1, 7, 1], [3, 5, 33], [2, 300, 4]] {
        let mut w = lab.random(dims.iter().product());
        let bounds = NormBounds {
            min: 0.5,
            max: 1.5,
            rate: 0.8,
        };
        lab.device.bound_norms(bounds, dims, w.write());
        lab.keep(format!("norms {dims:?}"), &w);
        lab.device.bound_below(w.write());
        lab.keep(format!("not negative {dims:?}"), &w);
    }
}

pub fn factored_moments<D: Device>(lab: &mut Lab<D>) {
    for dims in [[1, 5, 7], [3, 4, 300], [2, 270, 3]] {
        let [outer, rows, columns] = dims;
        let rule = FactoredMoments {
            keep: 0.7,
            epsilon: 1e-5,
        };
        let mut g = lab.random(outer * rows * columns);
        let mut r = lab.probabilities(outer * rows);
        let mut c = lab.probabilities(outer * columns);
        let mut v = lab.poisoned(g.len);
        let slots = [r.write(), c.write(), v.write()];
        lab.device.factored(rule, dims, g.write(), slots);
        for (name, own) in [("g", g), ("r", r), ("c", c), ("v", v)] {
            lab.keep(format!("{name} of {dims:?}"), &own);
        }
    }
}
