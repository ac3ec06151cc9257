//! The memory between the mixer's thread and the process of a plugin: a ring for each direction, and
//! the positions up to which they are filled. Each side writes only its own ring and position, and
//! checks the position of the other one. Samples are atomic numbers, so a hostile process can make
//! audio wrong, but nothing else.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The size of each ring in samples per channel, a power of two: 0.7 s at 48 kHz. A process that is
/// further behind loses audio.
pub(super) const RING_FRAMES: u64 = 32_768;

/// The positions, in samples per channel.
#[repr(C)]
struct Header {
    /// What the mixer has written.
    written: AtomicU64,
    /// What the process has filtered.
    processed: AtomicU64,
    /// Changes with every block, to wake the process.
    wakes: AtomicU32,
}

/// The place of the first sample in bytes.
const SAMPLES: usize = 64;
const _: () = assert!(size_of::<Header>() <= SAMPLES);

/// The rings, as one side has mapped them.
#[derive(Debug)]
pub(in crate::mix::plugin) struct Ring {
    start: NonNull<u8>,
    channels: usize,
    file: OwnedFd,
}

// SAFETY: the mapping belongs only to this value, and everything in it is atomic.
unsafe impl Send for Ring {}
// SAFETY: as above.
unsafe impl Sync for Ring {}

impl Ring {
    /// Creates empty rings.
    pub fn new(channels: usize) -> io::Result<Self> {
        // SAFETY: the name ends with a zero; the result is checked.
        let file = unsafe {
            let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
            libc::memfd_create(c"onair-plugin".as_ptr(), flags)
        };
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and has no other owner.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        let size = libc::off_t::try_from(length(channels)).map_err(io::Error::other)?;
        // The size is sealed, so that the process cannot make onair read past the end.
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        // SAFETY: plain calls on an open descriptor.
        let failed = unsafe {
            libc::ftruncate(file.as_raw_fd(), size) != 0
                || libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) != 0
        };
        if failed {
            return Err(io::Error::last_os_error());
        }
        Self::of(file, channels)
    }

    /// Maps the rings of the other side.
    pub fn of(file: OwnedFd, channels: usize) -> io::Result<Self> {
        // SAFETY: the call fills the structure; every field may be zero before.
        let size = unsafe {
            let mut about: libc::stat = std::mem::zeroed();
            if libc::fstat(file.as_raw_fd(), &raw mut about) != 0 {
                return Err(io::Error::last_os_error());
            }
            usize::try_from(about.st_size).unwrap_or(0)
        };
        if size < length(channels) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // SAFETY: the file has this length, which cannot change; the address is chosen by the
        // system, and the result is checked.
        let start = unsafe {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let file = file.as_raw_fd();
            libc::mmap(ptr::null_mut(), length(channels), access, libc::MAP_SHARED, file, 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, channels, file })
    }

    /// Returns the file of the memory, for the process.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    fn header(&self) -> &Header {
        // SAFETY: the mapping is longer than the header, aligned to a page, and all bytes are valid
        // as atomic numbers.
        unsafe { self.start.cast::<Header>().as_ref() }
    }

    /// Returns the samples of both rings, the input first.
    fn samples(&self) -> &[AtomicU32] {
        let count = 2 * RING_FRAMES as usize * self.channels;
        // SAFETY: the mapping has this many numbers at this place, which is aligned.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(SAMPLES).cast(), count) }
    }

    fn half(&self, output: bool) -> &[AtomicU32] {
        let (input, its_output) = self.samples().split_at(RING_FRAMES as usize * self.channels);
        if output { its_output } else { input }
    }

    /// Returns the numbers from this position on, for as long as a ring.
    fn from(&self, output: bool, position: u64) -> impl Iterator<Item = &AtomicU32> {
        let first = (position % RING_FRAMES) as usize * self.channels;
        let (end, start) = self.half(output).split_at(first);
        start.iter().chain(end)
    }

    fn store(&self, output: bool, position: u64, samples: &[f32]) {
        for (place, sample) in self.from(output, position).zip(samples) {
            place.store(sample.to_bits(), Ordering::Relaxed);
        }
    }

    fn load(&self, output: bool, position: u64, samples: &mut [f32]) {
        for (sample, place) in samples.iter_mut().zip(self.from(output, position)) {
            *sample = f32::from_bits(place.load(Ordering::Relaxed));
        }
    }

    /// Adds interleaved samples of the mixer, and wakes the process. Returns the new position.
    pub fn write(&self, samples: &[f32]) -> u64 {
        let header = self.header();
        let at = header.written.load(Ordering::Relaxed);
        self.store(false, at, samples);
        let end = at.wrapping_add((samples.len() / self.channels) as u64);
        header.written.store(end, Ordering::Release);
        header.wakes.fetch_add(1, Ordering::Release);
        // SAFETY: a plain call with the address of a number in a live mapping. It never waits.
        unsafe {
            libc::syscall(libc::SYS_futex, header.wakes.as_ptr(), libc::FUTEX_WAKE, 1);
        }
        end
    }

    pub fn written(&self) -> u64 {
        self.header().written.load(Ordering::Acquire)
    }

    /// Returns the position up to which the process has filtered, which it could set to anything.
    pub fn processed(&self) -> u64 {
        self.header().processed.load(Ordering::Acquire)
    }

    /// Copies filtered samples from this position on.
    pub fn read_output(&self, position: u64, samples: &mut [f32]) {
        self.load(true, position, samples);
    }

    /// Copies the mixer's samples from this position on.
    pub fn read_input(&self, position: u64, samples: &mut [f32]) {
        self.load(false, position, samples);
    }

    /// Adds filtered samples at this position.
    pub fn write_output(&self, position: u64, samples: &[f32]) {
        self.store(true, position, samples);
        let end = position.wrapping_add((samples.len() / self.channels) as u64);
        self.header().processed.store(end, Ordering::Release);
    }

    /// Continues at this position with silence, because the process was too slow.
    pub fn skip_output_to(&self, position: u64) {
        for place in self.half(true) {
            place.store(0, Ordering::Relaxed);
        }
        self.header().processed.store(position, Ordering::Release);
    }

    /// Waits until the mixer has written more than `seen`, for at most `limit`.
    pub fn wait(&self, seen: u64, limit: Duration) {
        let header = self.header();
        let wakes = header.wakes.load(Ordering::Acquire);
        if self.written() != seen {
            return;
        }
        let limit = libc::timespec {
            tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(1),
            tv_nsec: limit.subsec_nanos().into(),
        };
        // SAFETY: a plain call with the addresses of a number in a live mapping and of the limit.
        unsafe {
            let (number, wait) = (header.wakes.as_ptr(), libc::FUTEX_WAIT);
            libc::syscall(libc::SYS_futex, number, wait, wakes, &raw const limit);
        }
    }
}

/// Returns the size of the memory in bytes.
fn length(channels: usize) -> usize {
    SAMPLES + 2 * RING_FRAMES as usize * channels * size_of::<f32>()
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is exactly what `of` mapped; it is unmapped once, and nothing borrows from it.
        let done = unsafe { libc::munmap(self.start.as_ptr().cast(), length(self.channels)) };
        if done != 0 {
            tracing::debug!(error = %io::Error::last_os_error(), "unmapping memory failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_see_what_the_other_one_wrote_also_across_the_end() {
        let ours = Ring::new(2).unwrap();
        let theirs = Ring::of(ours.file().try_clone_to_owned().unwrap(), 2).unwrap();
        let block: Vec<f32> = (0..2_000).map(|it| it as f32).collect();
        let (mut position, mut read) = (0, vec![0.0; 2_000]);
        for _ in 0..40 {
            assert_eq!(ours.write(&block), position + 1_000);
            theirs.wait(position, Duration::from_secs(10));
            assert_eq!(theirs.written(), position + 1_000);
            theirs.read_input(position, &mut read);
            assert_eq!(read, block);
            theirs.write_output(position, &read);
            read.fill(0.0);
            ours.read_output(position, &mut read);
            assert_eq!(read, block);
            position = ours.processed();
        }
        assert!(position > RING_FRAMES);
        theirs.skip_output_to(position + 5);
        ours.read_output(position - 1_000, &mut read);
        assert_eq!((ours.processed(), read), (position + 5, vec![0.0; 2_000]));
    }

    #[test]
    fn the_process_cannot_shrink_the_memory_and_no_other_memory_is_taken() {
        let ring = Ring::new(1).unwrap();
        // SAFETY: a plain call on an open descriptor.
        assert_eq!(unsafe { libc::ftruncate(ring.file().as_raw_fd(), 1) }, -1);
        let file = ring.file().try_clone_to_owned().unwrap();
        assert_eq!(Ring::of(file, 8).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
