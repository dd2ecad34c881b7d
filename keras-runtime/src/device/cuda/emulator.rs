//! A GPU that is none: the same kernels, compiled by a C++ compiler, their threads one after the other.
//!
//! Indices, arithmetic, barriers and the arguments of every launch are those of the GPU, so that they
//! can be tested on a machine without one. Memory is the host's and begins as NaN.

use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::context::{Argument, Buffer, Context, Driver, Gpu, Matrix, Product};
use super::staging::Staging;
use crate::device::AnyThread;
use crate::error::{Error, Result};

/// A device that runs the kernels of the GPU on the CPU, for tests.
#[derive(Clone, Debug, Default)]
pub struct Emulated;

// SAFETY: it is `Send` and `Sync` by itself.
unsafe impl AnyThread for Emulated {}

impl Emulated {
    /// Whether there is a C++ compiler; says so if there is none, for tests that are left out then.
    pub fn is_available() -> bool {
        static AVAILABLE: OnceLock<bool> = OnceLock::new();
        *AVAILABLE.get_or_init(|| {
            let version = Command::new(compiler()).arg("--version").output();
            let is_there = version.is_ok_and(|version| version.status.success());
            if !is_there {
                // Not `eprintln`, which tests that pass do not show.
                let _ = writeln!(
                    std::io::stderr(),
                    "SKIPPED: the kernels of the GPU, for there is no C++ compiler `{}`",
                    compiler().display()
                );
            }
            is_there
        })
    }
}

/// All emulated devices are one.
fn context() -> &'static Arc<Context<Emulator>> {
    static CONTEXT: OnceLock<Arc<Context<Emulator>>> = OnceLock::new();
    CONTEXT.get_or_init(|| Arc::new(Context::new(Emulator::default())))
}

impl Gpu for Emulated {
    type Driver = Emulator;
    type Owned = Owned;

    fn buffer(&self, len: usize) -> Result<Buffer<Emulator, Owned>> {
        let context = context();
        context.check()?;
        let address = context.driver().allocate(len)?;
        // SAFETY: it has just been allocated.
        unsafe { context.driver().upload(&vec![0.0; len], address)? };
        let memory = Owned {
            context: context.clone(),
            address,
        };
        Ok(Buffer {
            context: context.clone(),
            _memory: memory,
            address,
            len,
        })
    }

    fn state() -> Result<()> {
        context().check()
    }
}

/// Memory of a buffer.
pub struct Owned {
    context: Arc<Context<Emulator>>,
    address: u64,
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the buffer is gone, and with it all of its views.
        unsafe { self.context.driver().free(self.address) };
    }
}

fn compiler() -> PathBuf {
    std::env::var_os("CXX").map_or_else(|| PathBuf::from("c++"), PathBuf::from)
}

/// What stands before the kernels.
const HEADER: &str = include_str!("emulator.h");

/// Words in a kernel after which its threads wait for each other.
const BARRIERS: [&str; 5] = [
    "__syncthreads",
    "__shfl",
    "block_sum",
    "warp_sum",
    "warp_max",
];

/// Runs kernels on the CPU.
#[derive(Default)]
pub struct Emulator {
    memory: Mutex<HashMap<u64, Box<[f32]>>>,
}

/// A kernel as the emulator calls it: the grid, the number of arguments, where they lie, their kinds
/// and their sizes.
type Kernel = unsafe extern "C" fn(
    *const c_uint,
    c_uint,
    *const *mut c_void,
    *const c_char,
    *const c_uint,
) -> c_int;

impl Staging for Emulator {
    type Event = ();

    fn pinned(&self, len: usize) -> Option<u64> {
        let address = self.allocate(len).ok()?;
        // SAFETY: it has just been allocated.
        unsafe { std::slice::from_raw_parts_mut(address as *mut f32, len) }.fill(0.0);
        Some(address)
    }

    unsafe fn free_pinned(&self, address: u64) {
        // SAFETY: the caller's.
        unsafe { self.free(address) };
    }

    unsafe fn send(&self, from: u64, to: u64, len: usize) -> Result<()> {
        // SAFETY: the caller's.
        unsafe { self.copy(from, to, len) }
    }

    fn record(&self, _event: Option<()>) -> Result<()> {
        Ok(())
    }

    fn wait(&self, _event: &()) -> Result<()> {
        Ok(())
    }
}

impl Driver for Emulator {
    type Module = libloading::Library;
    type Function = Kernel;

    fn compile(&self, name: &str, source: &str) -> Result<Self::Module> {
        // NVRTC needs no GPU: where it is linked, what is emulated is what it compiles, too.
        #[cfg(feature = "cuda")]
        super::nvidia::ptx(name, source, "compute_80")?;
        let source = chosen(source);
        let mut text = format!(
            "#define THREADS {}\n{HEADER}\n{source}\n",
            super::context::THREADS
        );
        for (kernel, body) in kernels(&source) {
            let waits = BARRIERS.iter().any(|word| body.contains(word));
            text += &format!(
                "extern \"C\" int emulate_{kernel}(const unsigned *grid, unsigned count, void **pointers, \
                 const char *kinds, const unsigned *sizes) {{\n    \
                 return emulate({kernel}, {waits}, grid, count, pointers, kinds, sizes);\n}}\n"
            );
        }
        let library = build(name, &text)?;
        // SAFETY: it is the code above, which does nothing when it is loaded.
        unsafe { libloading::Library::new(library) }.map_err(|error| device(error.to_string()))
    }

    fn function(&self, module: &Self::Module, name: &str) -> Result<Self::Function> {
        let symbol = format!("emulate_{name}");
        // SAFETY: `compile` has written functions of this type, and modules are never dropped before
        // the context.
        let function = unsafe { module.get::<Kernel>(symbol.as_bytes()) };
        function
            .map(|function| *function)
            .map_err(|error| device(error.to_string()))
    }

    unsafe fn launch(
        &self,
        function: Self::Function,
        grid: [u32; 2],
        arguments: &[Argument<'_>],
    ) -> Result<()> {
        let pointers: Vec<*mut c_void> = arguments.iter().map(Argument::pointer).collect();
        let (kinds, sizes): (Vec<c_char>, Vec<c_uint>) = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Address(_) => (b'a' as c_char, 8),
                Argument::Count(_) => (b'u' as c_char, 4),
                Argument::Number(_) => (b'f' as c_char, 4),
                Argument::Words(words) => (b's' as c_char, 4 * words.len() as c_uint),
                Argument::Numbers(numbers) => (b's' as c_char, 4 * numbers.len() as c_uint),
                Argument::Addresses(all) => (b's' as c_char, 8 * all.len() as c_uint),
            })
            .unzip();
        // SAFETY: the caller's, and the kernel looks at the kinds and sizes of its arguments first.
        let result = unsafe {
            function(
                grid.as_ptr(),
                pointers.len() as c_uint,
                pointers.as_ptr(),
                kinds.as_ptr(),
                sizes.as_ptr(),
            )
        };
        match result {
            0 => Ok(()),
            1 => Err(device(format!(
                "the arguments are no kernel's: {arguments:?}"
            ))),
            _ => Err(device(String::from("threads wait for each other for ever"))),
        }
    }

    unsafe fn product(&self, product: &Product) -> Result<()> {
        let [m, k, n] = product.dims;
        let place = |matrix: &Matrix, row: usize, column: usize| match matrix.transposed {
            true => column * matrix.stride + row,
            false => row * matrix.stride + column,
        };
        let (a, b) = (
            product.a.address as *const f32,
            product.b.address as *const f32,
        );
        let c = product.c.address as *mut f32;
        for row in 0..m {
            for column in 0..n {
                let mut sum = 0.0f64;
                for at in 0..k {
                    // SAFETY: the matrices lie in memory, by the caller.
                    let (a, b) = unsafe {
                        (
                            *a.add(place(&product.a, row, at)),
                            *b.add(place(&product.b, at, column)),
                        )
                    };
                    sum += f64::from(a) * f64::from(b);
                }
                // SAFETY: as above.
                let c = unsafe { &mut *c.add(place(&product.c, row, column)) };
                *c = sum as f32 + if product.adds { *c } else { 0.0 };
            }
        }
        Ok(())
    }

    fn allocate(&self, len: usize) -> Result<u64> {
        let memory = vec![f32::NAN; len.max(1)].into_boxed_slice();
        let address = memory.as_ptr() as u64;
        let mut all = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(address, memory);
        Ok(address)
    }

    unsafe fn free(&self, address: u64) {
        let mut all = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&address);
    }

    unsafe fn upload(&self, from: &[f32], to: u64) -> Result<()> {
        // SAFETY: there is memory for them, by the caller; the host's slice is none of the device's.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to as *mut f32, from.len()) };
        Ok(())
    }

    unsafe fn download(&self, from: u64, to: &mut [f32]) -> Result<()> {
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(from as *const f32, to.as_mut_ptr(), to.len()) };
        Ok(())
    }

    unsafe fn copy(&self, from: u64, to: u64, len: usize) -> Result<()> {
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(from as *const f32, to as *mut f32, len) };
        Ok(())
    }
}

/// The kernels of a source: their names, and their texts up to the next one.
fn kernels(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.split("__global__ void ").skip(1).map(|text| {
        let name = text.split('(').next().unwrap_or_default();
        (name, text)
    })
}

/// What is left of a source by its `#ifdef`, `#if defined .. || defined ..`, `#elif defined`, `#else`
/// and `#endif`, none of them within another.
fn chosen(source: &str) -> String {
    let is_defined = |word: &str| source.contains(&format!("#define {word}\n"));
    let (mut is_in, mut was_in) = (true, false);
    let mut text = String::new();
    for line in source.lines() {
        let mut words = line.split_whitespace();
        let directive = words.next().unwrap_or_default();
        match directive {
            "#if" | "#ifdef" | "#elif" => {
                was_in = was_in && directive == "#elif";
                is_in = !was_in && words.any(is_defined);
                was_in |= is_in;
            }
            "#else" => is_in = !was_in,
            "#endif" => (is_in, was_in) = (true, false),
            _ if is_in => {
                text += line;
                text.push('\n');
            }
            _ => {}
        }
    }
    text
}

/// Compiles a library, unless it has been compiled before.
fn build(name: &str, text: &str) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    (text, compiler()).hash(&mut hasher);
    let folder = std::env::current_exe()
        .ok()
        .and_then(|test| test.parent().map(Path::to_path_buf))
        .unwrap_or_else(std::env::temp_dir)
        .join("emulated");
    let library = folder.join(format!("{name}-{:016x}.so", hasher.finish()));
    if library.exists() {
        return Ok(library);
    }
    let file = |error: std::io::Error| device(format!("{}: {error}", library.display()));
    std::fs::create_dir_all(&folder).map_err(file)?;
    // Another process may compile the same: each writes a file of its own, and the last one stays.
    let own = library.with_extension(format!("{}.so", std::process::id()));
    let mut running = Command::new(compiler())
        .args("-std=c++14 -O1 -w -ffp-contract=off -fPIC -shared -x c++ - -lm -o".split(' '))
        .arg(&own)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(file)?;
    if let Some(mut input) = running.stdin.take() {
        input.write_all(text.as_bytes()).map_err(file)?;
    }
    let result = running.wait_with_output().map_err(file)?;
    if !result.status.success() {
        let said = String::from_utf8_lossy(&result.stderr);
        return Err(device(format!(
            "the kernels of `{name}` do not compile:\n{said}"
        )));
    }
    std::fs::rename(&own, &library).map_err(file)?;
    Ok(library)
}

fn device(message: String) -> Error {
    Error::Device(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cuda::context::{Area, THREADS, count};

    /// Each thread gives its number to the one across from it in the block.
    const TURNED: &str = r#"
extern "C" __global__ void turned(float *y, unsigned len) {
    __shared__ float numbers[THREADS];
    unsigned i = this_thread();
    numbers[threadIdx.x] = (float)i;
    BARRIER
    if (i < len) y[i] = numbers[THREADS - 1 - threadIdx.x];
}
"#;

    /// The numbers that a kernel of two blocks writes.
    fn run(source: &'static str, argument: Argument<'_>) -> Result<Vec<f32>> {
        let context = Context::new(Emulator::default());
        let area: &'static Area = Box::leak(Box::new(Area {
            name: "test",
            source,
        }));
        let len = 2 * THREADS;
        let address = context.driver().allocate(len)?;
        let arguments = [Argument::Address(address), argument];
        context.launch(area, "turned", None, [2, 1], &arguments);
        context.check()?;
        let mut numbers = vec![0.0; len];
        context.download_from(address, &mut numbers);
        Ok(numbers)
    }

    fn source(barrier: &str) -> &'static str {
        Box::leak(TURNED.replace("BARRIER", barrier).into_boxed_str())
    }

    #[test]
    fn threads_wait_at_barriers_and_one_that_is_missing_shows() -> Result<()> {
        if !Emulated::is_available() {
            return Ok(());
        }
        let len = 2 * THREADS;
        let expected: Vec<f32> = (0..len)
            .map(|at| (at / THREADS * THREADS + THREADS - 1 - at % THREADS) as f32)
            .collect();
        let with = run(source("__syncthreads();"), count(len))?;
        assert_eq!(with, expected);
        assert_ne!(run(source(""), count(len))?, expected);
        Ok(())
    }

    #[test]
    fn a_warp_exchanges_numbers() -> Result<()> {
        if !Emulated::is_available() {
            return Ok(());
        }
        // The sum of a warp's numbers, of the threads of the first half of the block alone.
        let summed = "float sum = threadIdx.x < THREADS / 2 ? warp_sum((float)threadIdx.x) : 0.0f; \
                      numbers[THREADS - 1 - threadIdx.x] = sum;";
        let found = run(source(summed), count(2 * THREADS))?;
        assert_eq!(found[3], (0..32).sum::<i32>() as f32);
        assert_eq!(found[THREADS / 2 - 1], (96..128).sum::<i32>() as f32);
        assert_eq!(found[THREADS / 2], 0.0);
        Ok(())
    }

    #[test]
    fn mistakes_are_errors() {
        if !Emulated::is_available() {
            return;
        }
        let error = |barrier: &str, argument: Argument<'_>| match run(source(barrier), argument) {
            Ok(numbers) => panic!("{numbers:?}"),
            Err(error) => error.to_string(),
        };
        let kinds = error("__syncthreads();", Argument::Number(1.0));
        assert!(kinds.contains("arguments"), "{kinds}");
        let halves = "if (threadIdx.x % 2) __syncthreads(); else warp_sum(1.0f);";
        let waiting = error(halves, count(1));
        assert!(waiting.contains("for ever"), "{waiting}");
        let text = error("nonsense;", count(1));
        assert!(text.contains("do not compile"), "{text}");
    }
}
