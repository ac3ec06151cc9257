//! The virtual camera as a device of the kernel module v4l2loopback, for programs that know only Video4Linux. onair
//! writes frames to a device that the administrator has made; it makes none, because this needs root.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use v4l::capability::Flags;
use v4l::video::Output;
use v4l::{Device, Format, FourCC};

use crate::capture::camera::backend::identity;
use crate::media::Size;
use crate::text::Problem;
use crate::text::problem::problem;

/// The name of the module's driver.
const DRIVER: &str = "v4l2 loopback";
/// The format in which all programs read cameras.
const PIXELS: FourCC = FourCC { repr: *b"YUYV" };

/// A video device, as far as the virtual camera uses it.
trait VideoOutput: Write {
    /// Returns the name of the driver, and whether the device takes frames now.
    fn driver(&self) -> io::Result<(String, bool)>;

    /// Sets the size of frames as YUYV. Returns the size that the driver has accepted.
    fn set_size(&self, size: Size) -> io::Result<Size>;
}

impl VideoOutput for Device {
    fn driver(&self) -> io::Result<(String, bool)> {
        let is = self.query_caps()?;
        Ok((is.driver, is.capabilities.contains(Flags::VIDEO_OUTPUT)))
    }

    fn set_size(&self, size: Size) -> io::Result<Size> {
        let format = Output::set_format(self, &Format::new(size.width, size.height, PIXELS))?;
        match format.fourcc == PIXELS {
            true => Ok(Size::new(format.width, format.height)),
            false => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Number N of the device `/dev/videoN` that onair feeds, or [`NO_NUMBER`].
static OWN_NUMBER: AtomicU32 = AtomicU32::new(NO_NUMBER);
const NO_NUMBER: u32 = u32::MAX;

/// Returns true if onair itself feeds this device, which then is no camera for onair: it would show itself.
pub(super) fn is_own(number: u32) -> bool {
    number != NO_NUMBER && OWN_NUMBER.load(Ordering::Relaxed) == number
}

/// A device that other programs read. Dropping it ends the frames.
pub(in crate::capture::camera) struct Loopback(Box<dyn VideoOutput + Send>);

impl Loopback {
    /// Opens the first device of the module that takes frames of this size.
    pub(in crate::capture::camera) fn open(size: Size) -> Result<Self, Problem> {
        let devices = identity::nodes()
            .into_iter()
            .filter_map(|node| Some((node.number, Device::with_path(node.path()).ok()?)));
        Self::first(devices, size)
    }

    fn first(
        devices: impl Iterator<Item = (u32, impl VideoOutput + Send + 'static)>,
        size: Size,
    ) -> Result<Self, Problem> {
        let mut reason = problem!("virtual-camera-no-loopback");
        for (number, device) in devices {
            match device.driver() {
                // Without `exclusive_caps=1`, a device that another program feeds still says that it takes frames.
                Ok((driver, takes_frames)) if driver == DRIVER && takes_frames => {
                    match device.set_size(size) {
                        Ok(got) if got == size => {
                            OWN_NUMBER.store(number, Ordering::Relaxed);
                            return Ok(Self(Box::new(device)));
                        }
                        _ => reason = problem!("virtual-camera-loopback-used"),
                    }
                }
                _ => {}
            }
        }
        Err(reason)
    }

    /// Passes on a frame as YUYV. Fails if the device is gone.
    pub(in crate::capture::camera) fn send(&mut self, frame: &[u8]) -> Result<(), Problem> {
        match self.0.write(frame) {
            Ok(_) => Ok(()),
            // The reader is slow: this frame is lost, and the next one is newer.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(problem!("virtual-camera-loopback-gone", reason = error.to_string())),
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        OWN_NUMBER.store(NO_NUMBER, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    struct Fake {
        driver: &'static str,
        takes_frames: bool,
        size: Option<Size>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Fake {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.is_empty() {
                return Err(io::ErrorKind::NotConnected.into());
            }
            self.written.lock().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl VideoOutput for Fake {
        fn driver(&self) -> io::Result<(String, bool)> {
            Ok((self.driver.to_owned(), self.takes_frames))
        }

        fn set_size(&self, _: Size) -> io::Result<Size> {
            self.size.ok_or_else(|| io::ErrorKind::ResourceBusy.into())
        }
    }

    const SIZE: Size = Size::new(640, 360);

    fn fake(driver: &'static str, takes_frames: bool, size: Option<Size>) -> Fake {
        Fake { driver, takes_frames, size, written: Arc::default() }
    }

    #[test]
    fn frames_go_to_the_first_free_device_of_the_module() {
        let wanted = fake(DRIVER, true, Some(SIZE));
        let written = Arc::clone(&wanted.written);
        let devices = [
            fake("uvcvideo", true, Some(SIZE)),
            fake(DRIVER, false, Some(SIZE)),
            fake(DRIVER, true, None),
            wanted,
        ];
        let mut loopback = Loopback::first((4..).zip(devices), SIZE).unwrap();
        assert!(is_own(7) && !is_own(6), "onair's own device is no camera");
        loopback.send(&[1, 2, 3]).unwrap();
        assert_eq!(*written.lock(), [1, 2, 3]);
        let gone = loopback.send(&[]).unwrap_err();
        assert_eq!(gone.id(), "virtual-camera-loopback-gone");
        drop(loopback);
        assert!(!is_own(7), "the device is a camera again");
    }

    #[test]
    fn without_a_free_device_the_reason_says_which_is_missing() {
        let key = |device: Option<Fake>| {
            Loopback::first((4..).zip(device), SIZE).err().map(|it| it.id().to_owned())
        };
        assert_eq!(key(None).as_deref(), Some("virtual-camera-no-loopback"));
        assert_eq!(
            key(Some(fake("uvcvideo", true, Some(SIZE)))).as_deref(),
            Some("virtual-camera-no-loopback")
        );
        let small = Some(Size::new(320, 180));
        assert_eq!(
            key(Some(fake(DRIVER, true, small))).as_deref(),
            Some("virtual-camera-loopback-used")
        );
    }
}
