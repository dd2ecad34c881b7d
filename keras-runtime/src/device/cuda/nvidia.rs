//! NVIDIA's driver: memory and launches by the driver, compilation by NVRTC, products by cuBLAS, all on
//! the stream that dfdx uses.

use std::ffi::{CString, c_int, c_void};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::cublas::{CudaBlas, result as cublas, sys as cublas_sys};
use cudarc::driver::sys::{self, CUdevice_attribute};
use cudarc::driver::{CudaDevice, DevicePtr, DriverError, result as driver};
use cudarc::nvrtc::{CompileError, CompileOptions, compile_ptx_with_opts, sys as nvrtc_sys};
pub use dfdx::tensor::Cuda;
use dfdx::tensor::{CudaError, Storage};

use super::context::{Argument, Buffer, Context, Driver, Gpu, Matrix, Product, THREADS};
use super::staging::Staging;
use crate::device::AnyThread;
use crate::error::{Error, Result};

/// The GPU of a number, the first one being 0.
///
/// `Cuda::default()` is the first one, too, but panics where there is none.
///
/// # Errors
/// If there is no such GPU, or its driver does not work.
pub fn open(ordinal: usize) -> Result<Cuda> {
    let failed = |error: CudaError| {
        Error::Device(format!(
            "expected a GPU with the number {ordinal} and a driver for CUDA. Received: {}",
            name(error)
        ))
    };
    // Where these two fail cudarc panics.
    let found = driver::init().and_then(|()| {
        let ordinal = c_int::try_from(ordinal).unwrap_or(c_int::MAX);
        driver::device::get(ordinal)
    });
    found.map_err(|error| failed(error.into()))?;
    Cuda::try_build(ordinal, 0).map_err(failed)
}

// SAFETY: it shares its parts by counted pointers to what may be used from any thread. Only its second
// stream does not say so, which dfdx alone uses, and which for the driver is as good on any thread.
unsafe impl AnyThread for Cuda {}

/// Memory of a buffer.
pub type Owned = <Cuda as Storage<f32>>::Vec;

impl Gpu for Cuda {
    type Driver = Nvidia;
    type Owned = Owned;

    fn buffer(&self, len: usize) -> Result<Buffer<Nvidia, Owned>> {
        let memory = self
            .try_alloc_len(len.max(1))
            .map_err(|error| Error::Device(name(error)))?;
        let context = context(memory.device())?;
        context.check()?;
        let address = *memory.device_ptr();
        Ok(Buffer {
            context,
            _memory: memory,
            address,
            len,
        })
    }

    fn state() -> Result<()> {
        let contexts = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        contexts.iter().try_for_each(|context| context.check())
    }
}

/// One for each GPU that is used. They are never dropped: the driver may be gone before they are.
static CONTEXTS: Mutex<Vec<Arc<Context<Nvidia>>>> = Mutex::new(Vec::new());

fn context(device: Arc<CudaDevice>) -> Result<Arc<Context<Nvidia>>> {
    let mut contexts = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it =
        |context: &&Arc<Context<Nvidia>>| context.driver().device.ordinal() == device.ordinal();
    if let Some(context) = contexts.iter().find(is_it) {
        return Ok(context.clone());
    }
    let context = Arc::new(Context::new(Nvidia::new(device)?));
    contexts.push(context.clone());
    Ok(context)
}

/// Runs kernels on a GPU.
pub struct Nvidia {
    device: Arc<CudaDevice>,
    /// A handle of cuBLAS is for one thread at a time.
    blas: Mutex<CudaBlas>,
    /// Such as `compute_80`.
    architecture: &'static str,
    /// Whether batches are uploaded from pinned memory.
    is_pinned: bool,
}

/// Compiled code on the GPU. It stays loaded.
pub struct Module(sys::CUmodule);

// SAFETY: it is the driver's handle of something that does not change, for any thread.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

/// A kernel in it.
#[derive(Clone, Copy)]
pub struct Function(sys::CUfunction);

// SAFETY: as above.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

/// What went wrong, in the driver's words: cudarc asks the driver for longer ones, and panics if it has
/// none, as where there is no driver.
fn name(error: CudaError) -> String {
    match error {
        CudaError::Driver(DriverError(result)) => format!("{result:?}"),
        other => format!("{other:?}"),
    }
}

fn of_driver(DriverError(result): DriverError) -> Error {
    Error::Device(format!("{result:?}"))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Device(error.to_string())
}

impl Nvidia {
    fn new(device: Arc<CudaDevice>) -> Result<Self> {
        let attribute = |attribute| device.attribute(attribute).map_err(of_driver);
        let major = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        let blas = CudaBlas::new(device.clone()).map_err(failed)?;
        if std::env::var_os("KERAS_CUDA_TF32").is_some_and(|value| value == "1") {
            let mode = cublas_sys::cublasMath_t::CUBLAS_TF32_TENSOR_OP_MATH;
            // SAFETY: the handle has just been made.
            let status = unsafe { cublas_sys::cublasSetMathMode(*blas.handle(), mode) };
            status.result().map_err(failed)?;
        }
        Ok(Self {
            device,
            blas: Mutex::new(blas),
            is_pinned: std::env::var_os("KERAS_CUDA_PINNED").is_none_or(|value| value != "0"),
            // Once for each GPU.
            architecture: Box::leak(format!("compute_{major}{minor}").into_boxed_str()),
        })
    }

    /// Makes this thread one of the GPU's; nothing if it is already.
    fn bind(&self) -> Result<()> {
        self.device.bind_to_thread().map_err(of_driver)
    }

    fn stream(&self) -> sys::CUstream {
        *self.device.cu_stream()
    }
}

/// Compiles CUDA C to PTX for an architecture such as `compute_80`, or finds it in the cache on disk.
/// NVRTC needs no GPU.
pub fn ptx(name: &str, source: &str, architecture: &'static str) -> Result<String> {
    let (mut major, mut minor): (c_int, c_int) = (0, 0);
    // SAFETY: it writes two numbers.
    let _ = unsafe { nvrtc_sys::nvrtcVersion(&raw mut major, &raw mut minor) };
    let mut hasher = DefaultHasher::new();
    (source, architecture, major, minor).hash(&mut hasher);
    let file = cache().map(|folder| folder.join(format!("{name}-{:016x}.ptx", hasher.finish())));
    if let Some(known) = file
        .as_ref()
        .and_then(|file| std::fs::read_to_string(file).ok())
    {
        return Ok(known);
    }
    let options = CompileOptions {
        arch: Some(architecture),
        ..CompileOptions::default()
    };
    let compiled = compile_ptx_with_opts(source, options).map_err(|error| match error {
        CompileError::CompileError { log, .. } => Error::Device(format!(
            "the kernels of `{name}` do not compile:\n{}",
            log.to_string_lossy()
        )),
        error => failed(error),
    })?;
    let text = compiled.to_src();
    if let Some(file) = file {
        // A cache that cannot be written is none: the kernels are compiled again the next time. Written
        // beside its place and moved there, so that nobody reads half of it.
        let own = file.with_extension(format!("{}.ptx", std::process::id()));
        let written = std::fs::create_dir_all(file.parent().unwrap_or(&file))
            .and_then(|()| std::fs::write(&own, &text))
            .and_then(|()| std::fs::rename(&own, &file));
        if let Err(error) = written {
            log::debug!("{}: {error}", file.display());
        }
    }
    Ok(text)
}

/// Where compiled kernels are kept: `KERAS_CUDA_CACHE`, or `keras-cuda` in the user's cache.
fn cache() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = variable("KERAS_CUDA_CACHE") {
        return Some(folder.into());
    }
    let user = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".cache"));
    user.or_else(home).map(|cache| cache.join("keras-cuda"))
}

/// An event of the driver. It is never destroyed: the context of its GPU stays.
pub struct Event(sys::CUevent);

// SAFETY: it is the driver's handle, which is as good on any thread.
unsafe impl Send for Event {}

impl Staging for Nvidia {
    type Event = Event;

    fn pinned(&self, len: usize) -> Option<u64> {
        if !self.is_pinned || self.bind().is_err() {
            return None;
        }
        let (mut memory, bytes) = (std::ptr::null_mut::<c_void>(), len * size_of::<f32>());
        // SAFETY: it writes an address.
        let result = unsafe { sys::cuMemHostAlloc(&raw mut memory, bytes, 0) };
        if let Err(DriverError(result)) = result.result() {
            log::warn!("no pinned memory for uploads, which take longer without: {result:?}");
            return None;
        }
        // SAFETY: it has just been allocated.
        unsafe { memory.write_bytes(0, bytes) };
        Some(memory as u64)
    }

    unsafe fn free_pinned(&self, address: u64) {
        if self.bind().is_ok() {
            // SAFETY: the caller's. Nothing can be done about a failure, and the next call reports it.
            let _ = unsafe { sys::cuMemFreeHost(address as *mut c_void) };
        }
    }

    unsafe fn send(&self, from: u64, to: u64, len: usize) -> Result<()> {
        self.bind()?;
        // SAFETY: the caller's.
        let numbers = unsafe { std::slice::from_raw_parts(from as *const f32, len) };
        // SAFETY: the caller's.
        unsafe { driver::memcpy_htod_async(to, numbers, self.stream()) }.map_err(of_driver)
    }

    fn record(&self, event: Option<Event>) -> Result<Event> {
        self.bind()?;
        let event = match event {
            Some(event) => event,
            None => {
                let flags = sys::CUevent_flags::CU_EVENT_DISABLE_TIMING;
                Event(driver::event::create(flags).map_err(of_driver)?)
            }
        };
        // SAFETY: it has been created, and the stream is the GPU's.
        unsafe { driver::event::record(event.0, self.stream()) }.map_err(of_driver)?;
        Ok(event)
    }

    fn wait(&self, event: &Event) -> Result<()> {
        self.bind()?;
        // SAFETY: it has been created.
        let result = unsafe { sys::cuEventSynchronize(event.0) };
        result.result().map_err(of_driver)
    }
}

impl Driver for Nvidia {
    type Module = Module;
    type Function = Function;

    fn compile(&self, name: &str, source: &str) -> Result<Module> {
        let text = CString::new(ptx(name, source, self.architecture)?).map_err(failed)?;
        self.bind()?;
        // SAFETY: the text is PTX and ends with a zero.
        let module = unsafe { driver::module::load_data(text.as_ptr().cast::<c_void>()) };
        module.map(Module).map_err(of_driver)
    }

    fn function(&self, module: &Module, name: &str) -> Result<Function> {
        self.bind()?;
        let name = CString::new(name).map_err(failed)?;
        // SAFETY: modules are never unloaded.
        let function = unsafe { driver::module::get_function(module.0, name) };
        function.map(Function).map_err(of_driver)
    }

    unsafe fn launch(
        &self,
        function: Function,
        [x, y]: [u32; 2],
        arguments: &[Argument<'_>],
    ) -> Result<()> {
        self.bind()?;
        let mut pointers = [std::ptr::null_mut(); 20];
        let Some(pointers) = pointers.get_mut(..arguments.len()) else {
            return Err(Error::Device(String::from(
                "a kernel has too many arguments",
            )));
        };
        for (pointer, argument) in pointers.iter_mut().zip(arguments) {
            *pointer = argument.pointer();
        }
        // SAFETY: the caller's; the driver copies the arguments before it returns.
        let launched = unsafe {
            driver::launch_kernel(
                function.0,
                (x, y, 1),
                (THREADS as u32, 1, 1),
                0,
                self.stream(),
                pointers,
            )
        };
        launched.map_err(of_driver)
    }

    unsafe fn product(&self, product: &Product) -> Result<()> {
        use cublas_sys::cublasOperation_t::{CUBLAS_OP_N, CUBLAS_OP_T};
        self.bind()?;
        let number = |size: usize| c_int::try_from(size).map_err(failed);
        let [m, k, n] = product.dims;
        let operation = |matrix: &Matrix| match matrix.transposed {
            true => CUBLAS_OP_T,
            false => CUBLAS_OP_N,
        };
        let blas = self.blas.lock().unwrap_or_else(PoisonError::into_inner);
        let (one, add) = (1.0f32, f32::from(u8::from(product.adds)));
        // cuBLAS has columns where these matrices have rows: it computes the transpose, cᵀ = bᵀ aᵀ.
        // SAFETY: the caller's.
        let result = unsafe {
            cublas::sgemm(
                *blas.handle(),
                operation(&product.b),
                operation(&product.a),
                number(n)?,
                number(m)?,
                number(k)?,
                &raw const one,
                product.b.address as *const f32,
                number(product.b.stride)?,
                product.a.address as *const f32,
                number(product.a.stride)?,
                &raw const add,
                product.c.address as *mut f32,
                number(product.c.stride)?,
            )
        };
        result.map_err(failed)
    }

    fn allocate(&self, len: usize) -> Result<u64> {
        self.bind()?;
        // SAFETY: the thread is bound to the GPU.
        unsafe { driver::malloc_sync(len.max(1) * size_of::<f32>()) }.map_err(of_driver)
    }

    unsafe fn free(&self, address: u64) {
        if address != 0 && self.bind().is_ok() {
            // SAFETY: the caller's. It waits for the kernels before. Nothing can be done about a failure,
            // and the next call of the driver reports it.
            let _ = unsafe { driver::free_sync(address) };
        }
    }

    unsafe fn upload(&self, from: &[f32], to: u64) -> Result<()> {
        self.bind()?;
        // SAFETY: the caller's; memory that is not pinned is copied before this returns.
        unsafe { driver::memcpy_htod_async(to, from, self.stream()) }.map_err(of_driver)
    }

    unsafe fn download(&self, from: u64, to: &mut [f32]) -> Result<()> {
        self.bind()?;
        // SAFETY: the caller's; what is copied is there after the wait.
        unsafe {
            driver::memcpy_dtoh_async(to, from, self.stream()).map_err(of_driver)?;
            driver::stream::synchronize(self.stream()).map_err(of_driver)
        }
    }

    unsafe fn copy(&self, from: u64, to: u64, len: usize) -> Result<()> {
        self.bind()?;
        let bytes = len * size_of::<f32>();
        // SAFETY: the caller's.
        unsafe { driver::memcpy_dtod_async(to, from, bytes, self.stream()) }.map_err(of_driver)
    }
}
