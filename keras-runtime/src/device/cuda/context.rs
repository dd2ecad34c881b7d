//! What kernels run in: their compiled code, scratch memory, the first thing that went wrong.

use std::collections::HashMap;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::staging::{Ring, Staging};
use super::trace::{CONSTANTS, Written};
use crate::error::{Error, Result};

/// What kernels are run by: NVIDIA's driver, or in tests an emulator.
///
/// Addresses are those of the device's memory. Everything happens in the order in which it is asked
/// for; nothing but `download` waits for it.
pub trait Driver: Staging + Send + Sync + Sized + 'static {
    /// Compiled code.
    type Module: Send + Sync;
    /// A kernel in it.
    type Function: Copy + Send + Sync;

    /// Compiles CUDA C.
    fn compile(&self, name: &str, source: &str) -> Result<Self::Module>;
    /// Finds a kernel.
    fn function(&self, module: &Self::Module, name: &str) -> Result<Self::Function>;
    /// Runs a kernel in a grid of blocks of [`THREADS`] threads.
    ///
    /// # Safety
    /// The arguments are those of the kernel, and the kernel stays inside of the memory they name.
    unsafe fn launch(
        &self,
        function: Self::Function,
        grid: [u32; 2],
        arguments: &[Argument<'_>],
    ) -> Result<()>;
    /// A matrix product.
    ///
    /// # Safety
    /// The matrices lie in memory of the device, and c overlaps neither a nor b.
    unsafe fn product(&self, product: &Product) -> Result<()>;

    /// Memory for so many numbers of any value.
    fn allocate(&self, len: usize) -> Result<u64>;
    /// Gives memory back.
    ///
    /// # Safety
    /// It is from `allocate`, and nobody uses it any more.
    unsafe fn free(&self, address: u64);
    /// Copies numbers from the host; they may change as soon as this returns.
    ///
    /// # Safety
    /// There is memory for them.
    unsafe fn upload(&self, from: &[f32], to: u64) -> Result<()>;
    /// Copies numbers to the host, when all kernels before have run.
    ///
    /// # Safety
    /// There is memory of so many numbers.
    unsafe fn download(&self, from: u64, to: &mut [f32]) -> Result<()>;
    /// Copies numbers on the device.
    ///
    /// # Safety
    /// There is memory of so many numbers on both sides, and the two do not overlap.
    unsafe fn copy(&self, from: u64, to: u64, len: usize) -> Result<()>;
}

/// Threads in a block of every kernel.
pub const THREADS: usize = 256;

/// A product `c = a b` or `c += a b` of row-major matrices: a (m, k), b (k, n), c (m, n).
#[derive(Clone, Copy, Debug)]
pub struct Product {
    pub dims: [usize; 3],
    pub a: Matrix,
    pub b: Matrix,
    pub c: Matrix,
    /// Whether the product is added to what is in c.
    pub adds: bool,
}

/// Where a matrix lies.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    pub address: u64,
    /// From one row in memory to the next.
    pub stride: usize,
    /// Whether the matrix is the transpose of what lies in memory.
    pub transposed: bool,
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// A pointer to numbers; 0 for none.
    Address(u64),
    /// An `unsigned`.
    Count(u32),
    /// A `float`.
    Number(f32),
    /// A structure of `unsigned` and `float` members, in 32-bit words.
    Words(&'a [u32]),
    /// A structure of `float` members.
    Numbers(&'a [f32]),
    /// A structure of pointers.
    Addresses(&'a [u64]),
}

impl Argument<'_> {
    /// Where its value lies, as drivers want to know it.
    pub fn pointer(&self) -> *mut c_void {
        match self {
            Self::Address(address) => (&raw const *address).cast_mut().cast(),
            Self::Count(count) => (&raw const *count).cast_mut().cast(),
            Self::Number(number) => (&raw const *number).cast_mut().cast(),
            Self::Words(words) => words.as_ptr().cast_mut().cast(),
            Self::Numbers(numbers) => numbers.as_ptr().cast_mut().cast(),
            Self::Addresses(addresses) => addresses.as_ptr().cast_mut().cast(),
        }
    }
}

/// The kernels of one file.
pub struct Area {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub source: &'static str,
}

/// What stands before the text of every area.
const COMMON: &str = include_str!("common.cuh");

impl Area {
    /// The whole text that is compiled.
    pub fn text(&self, variant: Option<(&str, &dyn Written)>) -> String {
        let formula = match variant {
            Some((name, formula)) => format!("#define {name}\n{}", formula.code()),
            None => String::new(),
        };
        format!(
            "#define THREADS {THREADS}\n#define CONSTANTS {CONSTANTS}\n{COMMON}\n{formula}\n{}",
            self.source
        )
    }
}

/// Which compiled code a kernel is in: its area, and which formula with the part of the area that is
/// for it.
type ModuleKey = (&'static str, &'static str, u64);

/// A kernel and its code.
type FunctionKey = (&'static str, u64);

/// A device that runs kernels, with what has been compiled for it.
pub struct Context<R: Driver> {
    driver: R,
    modules: Mutex<HashMap<ModuleKey, R::Module>>,
    functions: RwLock<HashMap<FunctionKey, R::Function>>,
    scratch: Mutex<Scratch>,
    ring: Mutex<Ring<R::Event>>,
    failure: Mutex<Option<Error>>,
    failed: AtomicBool,
}

/// Memory that kernels need while they run. It only ever grows.
#[derive(Default)]
pub struct Scratch {
    address: u64,
    len: usize,
}

impl<R: Driver> Context<R> {
    pub fn new(driver: R) -> Self {
        Self {
            driver,
            modules: Mutex::default(),
            functions: RwLock::default(),
            scratch: Mutex::default(),
            ring: Mutex::default(),
            failure: Mutex::default(),
            failed: AtomicBool::new(false),
        }
    }

    /// What runs the kernels.
    pub fn driver(&self) -> &R {
        &self.driver
    }

    /// The first failure since the context was made. Kernels run later than they are asked for, so that
    /// a failure of theirs shows when something else is asked for.
    pub fn check(&self) -> Result<()> {
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        match &*lock(&self.failure) {
            Some(failure) => Err(failure.clone()),
            None => Ok(()),
        }
    }

    /// Keeps the first failure. After it nothing runs any more.
    pub fn note(&self, result: Result<()>) {
        if let Err(error) = result {
            lock(&self.failure).get_or_insert(error);
            self.failed.store(true, Ordering::Release);
        }
    }

    fn is_well(&self) -> bool {
        !self.failed.load(Ordering::Acquire)
    }

    /// Runs a kernel of an area in a grid of blocks; nothing for an empty grid. A formula comes with the
    /// name of the part of the area that is for it.
    pub fn launch(
        &self,
        area: &'static Area,
        kernel: &'static str,
        variant: Option<(&'static str, &dyn Written)>,
        grid: [usize; 2],
        arguments: &[Argument<'_>],
    ) {
        if grid.contains(&0) || !self.is_well() {
            return;
        }
        let run = || {
            let function = self.function(area, kernel, variant)?;
            let [Ok(x), Ok(y)] = grid.map(u32::try_from) else {
                return Err(too_large());
            };
            // SAFETY: the methods of the device traits give each kernel the arguments that its source
            // names, of the lengths that they have checked.
            unsafe { self.driver.launch(function, [x, y], arguments) }
        };
        self.note(run());
    }

    fn function(
        &self,
        area: &'static Area,
        kernel: &'static str,
        variant: Option<(&'static str, &dyn Written)>,
    ) -> Result<R::Function> {
        let (part, formula) = variant.map_or(("", 0), |(part, formula)| (part, formula.key()));
        let key = (kernel, formula);
        let functions = self
            .functions
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = functions.get(&key) {
            return Ok(*function);
        }
        drop(functions);
        let mut modules = lock(&self.modules);
        let module = match modules.entry((area.name, part, formula)) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(self.driver.compile(area.name, &area.text(variant))?)
            }
        };
        let function = self.driver.function(module, kernel)?;
        let functions = self.functions.write();
        functions
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, function);
        Ok(function)
    }

    /// A matrix product; with nothing to add up it is zeros.
    pub fn product(&self, product: Product) {
        if product.dims[0] * product.dims[2] == 0 || !self.is_well() {
            return;
        }
        // SAFETY: the methods of the device traits name matrices inside of their views, and what is
        // written is a view of its own.
        self.note(unsafe { self.driver.product(&product) });
    }

    /// Scratch memory of any value, until it is dropped: others wait for it.
    pub fn scratch(&self, len: usize) -> (MutexGuard<'_, Scratch>, u64) {
        let mut scratch = lock(&self.scratch);
        if scratch.len < len {
            let len = len.next_multiple_of(1 << 16);
            match self.driver.allocate(len) {
                Ok(address) => {
                    // SAFETY: it is the context's, whose lock is held; the driver frees memory after what was
                    // asked for before.
                    unsafe { self.driver.free(scratch.address) };
                    *scratch = Scratch { address, len };
                }
                Err(error) => self.note(Err(error)),
            }
        }
        let address = scratch.address;
        (scratch, address)
    }

    pub fn upload(&self, from: &[f32], to: &ViewMut<'_, R>) {
        if self.is_well() && !from.is_empty() {
            let len = from.len().min(to.len);
            // SAFETY: a view is memory of its length.
            self.note(unsafe { self.driver.upload(&from[..len], to.address) });
        }
    }

    /// Has numbers written to memory of the host and sent to a view, all of it, without waiting for the device.
    /// `false` where there is no memory for that.
    pub fn stage(&self, to: &ViewMut<'_, R>, write: &dyn Fn(&mut [f32])) -> bool {
        if !self.is_well() || to.len == 0 {
            return true;
        }
        let mut ring = lock(&self.ring);
        // SAFETY: a view is memory of its length.
        let sent = unsafe { ring.send(&self.driver, to.len, to.address, write) };
        let is_sent = !matches!(sent, Ok(false));
        self.note(sent.map(|_| ()));
        is_sent
    }

    /// Copies numbers to scratch memory, which has room for them.
    pub fn upload_to(&self, from: &[f32], to: u64) {
        if self.is_well() && !from.is_empty() {
            // SAFETY: the caller holds the scratch memory.
            self.note(unsafe { self.driver.upload(from, to) });
        }
    }

    /// Copies numbers to the host: NaN if something has failed.
    pub fn download(&self, from: View<'_, R>, to: &mut [f32]) {
        let len = from.len.min(to.len());
        let to = &mut to[..len];
        if self.is_well() && !to.is_empty() {
            // SAFETY: a view is memory of its length.
            self.note(unsafe { self.driver.download(from.address, to) });
        }
        if !self.is_well() {
            to.fill(f32::NAN);
        }
    }

    /// Copies scratch memory to the host: NaN if something has failed.
    pub fn download_from(&self, from: u64, to: &mut [f32]) {
        let from = View {
            context: self,
            address: from,
            len: to.len(),
            lifetime: PhantomData,
        };
        self.download(from, to);
    }

    pub fn copy(&self, from: View<'_, R>, to: &ViewMut<'_, R>) {
        let len = from.len.min(to.len);
        if self.is_well() && len > 0 {
            // SAFETY: views are memory of their lengths, and one to write overlaps no other.
            self.note(unsafe { self.driver.copy(from.address, to.address, len) });
        }
    }
}

impl<R: Driver> Drop for Context<R> {
    fn drop(&mut self) {
        let ring = self.ring.get_mut();
        ring.unwrap_or_else(PoisonError::into_inner)
            .free(&self.driver);
        let scratch = self.scratch.get_mut();
        let scratch = scratch.unwrap_or_else(PoisonError::into_inner);
        if scratch.address != 0 {
            // SAFETY: nothing is left that uses it.
            unsafe { self.driver.free(scratch.address) };
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_large() -> Error {
    Error::Device(String::from(
        "expected tensors of less than 2³² numbers on the GPU",
    ))
}

/// Memory that belongs to the device. `M` is what owns it.
pub struct Buffer<R: Driver, M> {
    pub(super) context: Arc<Context<R>>,
    /// What frees the numbers at the end.
    pub(super) _memory: M,
    pub(super) address: u64,
    pub(super) len: usize,
}

impl<R: Driver, M> Buffer<R, M> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn view(&self, range: Range<usize>) -> View<'_, R> {
        let all = View {
            context: &self.context,
            address: self.address,
            len: self.len,
            lifetime: PhantomData,
        };
        all.part(range)
    }

    pub fn view_mut(&mut self, range: Range<usize>) -> ViewMut<'_, R> {
        let View {
            context,
            address,
            len,
            ..
        } = self.view(range);
        ViewMut {
            context,
            address,
            len,
            lifetime: PhantomData,
        }
    }
}

/// A device that runs kernels.
pub trait Gpu {
    /// What it runs them by.
    type Driver: Driver;
    /// What owns the memory of a buffer.
    type Owned;

    /// A buffer of zeros.
    fn buffer(&self, len: usize) -> Result<Buffer<Self::Driver, Self::Owned>>;
    /// The first failure of any such device.
    fn state() -> Result<()>;
}

/// A part of a buffer, to read.
pub struct View<'a, R: Driver> {
    pub(super) context: &'a Context<R>,
    pub(super) address: u64,
    pub(super) len: usize,
    lifetime: PhantomData<&'a f32>,
}

impl<R: Driver> Clone for View<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Driver> Copy for View<'_, R> {}

impl<'a, R: Driver> View<'a, R> {
    /// A part of it. As that of a slice it must lie inside of it.
    pub fn part<'b>(self, range: Range<usize>) -> View<'b, R>
    where
        'a: 'b,
    {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "range {range:?} out of range for a view of length {}",
            self.len
        );
        View {
            address: self.address + (range.start * size_of::<f32>()) as u64,
            len: range.len(),
            ..self
        }
    }

    pub fn argument(self) -> Argument<'static> {
        Argument::Address(self.address)
    }
}

/// A part of a buffer, to write.
pub struct ViewMut<'a, R: Driver> {
    pub(super) context: &'a Context<R>,
    pub(super) address: u64,
    pub(super) len: usize,
    lifetime: PhantomData<&'a mut f32>,
}

impl<'a, R: Driver> ViewMut<'a, R> {
    pub fn split(self, at: usize) -> (Self, Self) {
        let (first, second) = (self.read().part(0..at), self.read().part(at..self.len));
        let of = |address, len| Self {
            context: self.context,
            address,
            len,
            lifetime: PhantomData,
        };
        (of(first.address, first.len), of(second.address, second.len))
    }

    pub fn reborrow(&mut self) -> ViewMut<'_, R> {
        ViewMut {
            lifetime: PhantomData,
            ..*self
        }
    }

    pub fn read(&self) -> View<'_, R> {
        View {
            context: self.context,
            address: self.address,
            len: self.len,
            lifetime: PhantomData,
        }
    }

    pub fn argument(&self) -> Argument<'static> {
        Argument::Address(self.address)
    }
}

/// The argument for a view that may be missing.
pub fn optional<R: Driver>(view: Option<View<'_, R>>) -> Argument<'static> {
    Argument::Address(view.map_or(0, |view| view.address))
}

/// The same for one to write.
pub fn optional_mut<R: Driver>(view: Option<&ViewMut<'_, R>>) -> Argument<'static> {
    Argument::Address(view.map_or(0, |view| view.address))
}

/// The argument for a length. One that is too large for a kernel makes a grid that is too large, too,
/// which is reported.
pub fn count(len: usize) -> Argument<'static> {
    Argument::Count(u32::try_from(len).unwrap_or(u32::MAX))
}

/// The blocks for so many threads.
pub fn blocks(threads: usize) -> [usize; 2] {
    [threads.div_ceil(THREADS), 1]
}
