//! The interface of a device that plays audio.

/// A device (or a test's replacement) that plays audio.
pub trait Speaker: Send {
    /// Takes as many frames of the interleaved samples as fit, and returns their number.
    fn write(&mut self, data: &[f32]) -> usize;
    /// Returns the number of frames written but not yet played, including the device's latency.
    fn queued(&self) -> usize;
    /// Returns the part of [`Speaker::queued`] that the device has not taken yet: all of it, unless
    /// the device has a latency.
    fn waiting(&self) -> usize {
        self.queued()
    }
    /// Sets the volume, 0…1.
    fn set_volume(&mut self, volume: f32);
    /// Returns the number of underruns while audio was expected.
    fn underruns(&self) -> u64;
    /// Returns the reason why the speaker failed, once it has.
    fn failed(&self) -> Option<String>;
    /// Returns true if the speaker was opened for the system's default device, and another device
    /// is now the default.
    fn has_moved(&self) -> bool {
        false
    }
}
