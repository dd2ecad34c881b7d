//! What every device has to do, on numbers that are compared with those of the CPU in `f64`.
//!
//! A case runs some operations and keeps what they have written. It runs twice, on the device and on
//! the reference. Sizes are odd, memory that is to be written is NaN before, and so is the memory
//! around it, in which nothing may be changed.

mod areas;
mod functions;
mod lines;

use crate::device::{Cpu64, Device};
use crate::random::Key;

/// Holds every operation of a device against the CPU in `f64`, within 1e-5 of the number and of the
/// size of the numbers beside it.
///
/// # Panics
/// With what differs, if something does.
pub fn conforms<D: Device>() {
    for (name, on_device, on_reference) in cases::<D>() {
        let (mut found, mut expected) = (Lab::<D>::new(), Lab::<Cpu64>::new());
        on_device(&mut found);
        on_reference(&mut expected);
        if let Err(error) = found.device.check() {
            panic!("{name}: {error}");
        }
        assert_eq!(found.kept.len(), expected.kept.len(), "{name}");
        for (found, expected) in found.kept.iter().zip(&expected.kept) {
            compare(name, found, expected);
        }
    }
}

/// A case on one device.
type Run<D> = fn(&mut Lab<D>);

macro_rules! cases {
    ($($module:ident::$case:ident)*) => {
        /// Every case, for the device and for the reference.
        fn cases<D: Device>() -> Vec<(&'static str, Run<D>, Run<Cpu64>)> {
            vec![$((stringify!($case), $module::$case::<D> as Run<D>, $module::$case::<Cpu64> as Run<Cpu64>)),*]
        }
    };
}

cases! {
    areas::copies_and_sums
    areas::norms
    areas::gathered_rows
    areas::looked_up_rows
    areas::products
    areas::convolutions
    areas::pooling
    areas::normalizations
    areas::activations
    areas::rescaling_and_dropout
    areas::runs
    areas::resizing
    areas::penalties
    areas::factored_moments
    functions::merges
    functions::updates
    functions::losses_of_pairs
    functions::losses_of_softmax
    functions::means_of_rows
    functions::thresholds
    functions::classes_of_pairs
    functions::columns
    functions::scalars
    lines::losses
    lines::hinges
    lines::sequences
    lines::metrics
    lines::edges
}

/// Numbers that a case has kept, and what they are.
struct Kept {
    name: String,
    numbers: Vec<f32>,
}

fn compare(case: &str, found: &Kept, expected: &Kept) {
    let name = &expected.name;
    assert_eq!(&found.name, name, "{case}");
    assert_eq!(
        found.numbers.len(),
        expected.numbers.len(),
        "{case}: {name}"
    );
    let squares: f32 = expected.numbers.iter().map(|x| x * x).sum();
    let size = (squares / expected.numbers.len().max(1) as f32).sqrt();
    for (at, (found, expected)) in found.numbers.iter().zip(&expected.numbers).enumerate() {
        let is_near = (found - expected).abs() <= 1e-5 * (expected.abs() + size);
        assert!(
            is_near || found == expected,
            "{case}: {name}: number {at} is {found}, not {expected}"
        );
    }
}

/// Numbers before and after memory that is written.
const MARGIN: usize = 37;

/// A device with memory for a case.
struct Lab<D: Device> {
    device: D,
    kept: Vec<Kept>,
    key: Key,
    drawn: u64,
}

/// Memory of a case, with a margin.
struct Own<D: Device> {
    buffer: D::Buffer,
    len: usize,
}

impl<D: Device> Own<D> {
    fn read(&self) -> D::Slice<'_> {
        D::slice(&self.buffer, MARGIN..MARGIN + self.len)
    }

    fn write(&mut self) -> D::SliceMut<'_> {
        D::slice_mut(&mut self.buffer, MARGIN..MARGIN + self.len)
    }
}

impl<D: Device> Lab<D> {
    fn new() -> Self {
        Self {
            device: D::default(),
            kept: Vec::new(),
            key: Key::new(7),
            drawn: 0,
        }
    }

    /// Memory of these numbers.
    fn of(&self, numbers: &[f32]) -> Own<D> {
        let mut all = vec![f32::NAN; numbers.len() + 2 * MARGIN];
        all[MARGIN..MARGIN + numbers.len()].copy_from_slice(numbers);
        let mut buffer = match self.device.alloc(all.len()) {
            Ok(buffer) => buffer,
            Err(error) => panic!("{error}"),
        };
        self.device
            .upload(&all, D::slice_mut(&mut buffer, 0..all.len()));
        Own {
            buffer,
            len: numbers.len(),
        }
    }

    /// Memory that is to be written.
    fn poisoned(&self, len: usize) -> Own<D> {
        self.of(&vec![f32::NAN; len])
    }

    /// Numbers from -2 to 2, the same on every device.
    fn numbers(&mut self, len: usize) -> Vec<f32> {
        let numbers = (0..len as u64).map(|at| {
            let unit = self.key.uniform(self.drawn + at) as f32;
            4.0 * unit - 2.0
        });
        let numbers = numbers.collect();
        self.drawn += len as u64;
        numbers
    }

    /// Memory of such numbers.
    fn random(&mut self, len: usize) -> Own<D> {
        let numbers = self.numbers(len);
        self.of(&numbers)
    }

    /// Memory of numbers above 0 and below 1.
    fn probabilities(&mut self, len: usize) -> Own<D> {
        let numbers: Vec<f32> = self.numbers(len).iter().map(|x| x / 4.2 + 0.5).collect();
        self.of(&numbers)
    }

    /// The first half of some numbers.
    fn half(&self, own: &Own<D>) -> Own<D> {
        let mut numbers = vec![0.0; own.len / 2];
        self.device
            .download(D::part(own.read(), 0..own.len / 2), &mut numbers);
        self.of(&numbers)
    }

    /// Keeps what has been written.
    fn keep(&mut self, name: impl Into<String>, own: &Own<D>) {
        let mut all = vec![0.0; own.len + 2 * MARGIN];
        self.device
            .download(D::slice(&own.buffer, 0..all.len()), &mut all);
        let numbers = all.split_off(MARGIN);
        let (numbers, after) = numbers.split_at(own.len);
        let name = name.into();
        assert!(
            all.iter().chain(after).all(|x| x.is_nan()),
            "{name}: something was written beside it"
        );
        self.kept.push(Kept {
            name,
            numbers: numbers.to_vec(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::conforms;
    use crate::device::{Cpu, Emulated};

    #[test]
    fn the_cpu_conforms() {
        conforms::<Cpu>();
    }

    /// The kernels of the GPU, compiled for the CPU.
    #[test]
    fn the_emulated_gpu_conforms() {
        if Emulated::is_available() {
            conforms::<Emulated>();
        }
    }

    /// With the feature `cuda`, and a GPU. A test that is left out says so.
    #[test]
    fn the_gpu_conforms() {
        #[cfg(feature = "cuda")]
        let skipped = match crate::device::open_cuda(0) {
            Ok(_) => return conforms::<crate::device::Cuda>(),
            Err(error) => error.to_string(),
        };
        #[cfg(not(feature = "cuda"))]
        let skipped = "it is built without the feature `cuda`";
        use std::io::Write;
        // Not `eprintln`, which tests that pass do not show.
        let _ = writeln!(std::io::stderr(), "SKIPPED: the GPU, for {skipped}");
    }
}
