//! The audio thread of a plugin's process.

use std::io;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::ext::params::clap_plugin_params;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process};

use crate::base::{Stop, Worker};
use crate::mix::plugin::backend::host::events::{EventList, Events, output};
use crate::mix::plugin::backend::host::instance::Instance;
use crate::mix::plugin::backend::host::ports::{MAX_BLOCK, Ports};
use crate::mix::plugin::backend::ring::{RING_FRAMES, Ring};

/// The longest wait for audio. Then the plugin gets its parameters without audio.
const WAIT: Duration = Duration::from_millis(100);
/// Time limit for the end of a block.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The running thread.
pub(super) struct Audio(Worker);

/// What the thread uses of the plugin.
struct Work {
    plugin: *const clap_plugin,
    params: Option<&'static clap_plugin_params>,
    ports: Ports,
    ring: Arc<Ring>,
    events: Arc<Events>,
    channels: usize,
}

// SAFETY: CLAP allows the functions that this thread calls on an audio thread.
unsafe impl Send for Work {}

impl Audio {
    pub fn start(
        instance: &Instance,
        ring: Arc<Ring>,
        events: Arc<Events>,
        channels: usize,
    ) -> io::Result<Self> {
        let (plugin, params, ports) = (instance.plugin, instance.params, instance.ports.clone());
        let work = Work { plugin, params, ports, ring, events, channels };
        Worker::spawn("plugin-audio", move |stop| work.run(stop)).map(Self)
    }

    /// Ends the thread. A plugin that hangs ends with its process.
    pub fn stop(self) {
        if self.0.join(STOP_TIMEOUT).is_err() {
            std::process::exit(3);
        }
    }
}

/// The buffers of one direction.
struct Buffers {
    /// One list of samples for each channel of each port.
    samples: Vec<Vec<f32>>,
    /// The pointers for the plugin, which stay valid because the lists are never resized.
    _channels: Vec<Vec<*mut f32>>,
    ports: Vec<clap_audio_buffer>,
}

impl Buffers {
    fn new(ports: &[usize]) -> Self {
        let count: usize = ports.iter().sum();
        let mut samples = vec![vec![0.0; MAX_BLOCK]; count];
        let mut pointers = samples.iter_mut().map(|it: &mut Vec<f32>| it.as_mut_ptr());
        let mut channels: Vec<Vec<*mut f32>> =
            ports.iter().map(|count| pointers.by_ref().take(*count).collect()).collect();
        let ports = channels
            .iter_mut()
            .map(|port| clap_audio_buffer {
                data32: port.as_mut_ptr(),
                data64: ptr::null_mut(),
                channel_count: port.len() as u32,
                latency: 0,
                constant_mask: 0,
            })
            .collect();
        Self { samples, _channels: channels, ports }
    }
}

impl Work {
    fn run(&self, stop: &Stop) {
        // SAFETY: the plugin is active, and this is its audio thread.
        let started = unsafe { (*self.plugin).start_processing.is_none_or(|it| it(self.plugin)) };
        if !started {
            // onair sees that there is no audio.
            return;
        }
        let (mut input, mut output) =
            (Buffers::new(&self.ports.inputs), Buffers::new(&self.ports.outputs));
        let mut block = vec![0.0; MAX_BLOCK * self.channels];
        let (mut position, mut steady) = (self.ring.processed(), 0_i64);
        while !stop.is_set() {
            let mut written = self.ring.written();
            if written == position {
                self.ring.wait(position, WAIT);
                written = self.ring.written();
                if written == position {
                    self.flush();
                    continue;
                }
            }
            if written.wrapping_sub(position) > RING_FRAMES - MAX_BLOCK as u64 {
                position = written;
                self.ring.skip_output_to(position);
                continue;
            }
            let frames = usize::try_from(written - position).unwrap_or(0).min(MAX_BLOCK);
            let part = block.get_mut(..frames * self.channels).unwrap_or_default();
            self.ring.read_input(position, part);
            self.spread(part, &mut input);
            let done = self.filter(&mut input, &mut output, frames, steady);
            self.collect(part, &output, done);
            self.ring.write_output(position, part);
            position += frames as u64;
            steady += frames as i64;
        }
        // SAFETY: the plugin is processing, and this is its audio thread.
        unsafe {
            if let Some(end) = (*self.plugin).stop_processing {
                end(self.plugin);
            }
        }
    }

    /// Copies interleaved samples to the main port.
    fn spread(&self, block: &[f32], input: &mut Buffers) {
        let wanted = self.ports.inputs.first().copied().unwrap_or(0);
        let channels = self.channels;
        for (index, to) in input.samples.iter_mut().take(wanted).enumerate() {
            for (sample, frame) in to.iter_mut().zip(block.chunks_exact(channels)) {
                *sample = match wanted {
                    1 => frame.iter().sum::<f32>() / channels as f32,
                    _ => frame.get(index.min(channels - 1)).copied().unwrap_or(0.0),
                };
            }
        }
    }

    /// Lets the plugin filter. Returns false if it failed.
    fn filter(
        &self,
        input: &mut Buffers,
        output_buffers: &mut Buffers,
        frames: usize,
        steady: i64,
    ) -> bool {
        let events = self.events.take();
        let (in_events, out_events) = (events.input(), output());
        for port in &mut output_buffers.ports {
            port.constant_mask = 0;
        }
        let process = clap_process {
            steady_time: steady,
            frames_count: frames as u32,
            transport: ptr::null(),
            audio_inputs: input.ports.as_ptr(),
            audio_outputs: output_buffers.ports.as_mut_ptr(),
            audio_inputs_count: input.ports.len() as u32,
            audio_outputs_count: output_buffers.ports.len() as u32,
            in_events: &raw const in_events,
            out_events: &raw const out_events,
        };
        // SAFETY: the plugin is processing, this is its audio thread, and everything lives during the
        // call.
        let status = unsafe {
            let Some(run) = (*self.plugin).process else { return false };
            run(self.plugin, &raw const process)
        };
        status != CLAP_PROCESS_ERROR
    }

    /// Interleaves the samples of the main port.
    fn collect(&self, block: &mut [f32], output: &Buffers, done: bool) {
        if !done {
            block.fill(0.0);
            return;
        }
        let count = self.ports.outputs.first().copied().unwrap_or(0);
        for index in 0..self.channels {
            let from = output.samples.get(index.min(count.saturating_sub(1)));
            let places = block.iter_mut().skip(index).step_by(self.channels);
            for (place, sample) in places.zip(from.into_iter().flatten()) {
                *place = *sample;
            }
        }
    }

    /// Passes events on without audio.
    fn flush(&self) {
        let events: EventList = self.events.take();
        if let Some(flush) = self.params.and_then(|it| it.flush)
            && !events.is_empty()
        {
            let (input, output) = (events.input(), output());
            // SAFETY: the plugin is active, this is its audio thread, and both lists live during the
            // call.
            unsafe { flush(self.plugin, &raw const input, &raw const output) };
        }
    }
}
