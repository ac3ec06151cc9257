//! The mixer's side of a plugin: passes blocks to the process and takes those of one fixed latency
//! earlier, without waiting. It also keeps the unfiltered audio, which passes while the plugin is
//! bypassed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::base::Worker;
use crate::mix::block::Shape;
use crate::mix::plugin::link::LinkState;
use crate::mix::plugin::session::{Mode, Session};
use crate::mix::plugin::settings::Plugin;

/// The time that the process has for a block: three blocks of the mixer, because the mixer sometimes
/// makes two at once.
const RING_MS: usize = 30;

/// A plugin in the chain of a strip.
pub(in crate::mix) struct Runner {
    session: Arc<Session>,
    plugin: Arc<Plugin>,
    channels: usize,
    /// The part of the latency that the rings need, in samples.
    ring_latency: usize,
    /// The longest delay that the plugin has reported, in samples.
    plugin_latency: usize,
    mode: Mode,
    changes: u64,
    /// The number of samples per channel that came.
    total: u64,
    /// The value of `total` when the current ring began.
    base: u64,
    /// The newest unfiltered audio.
    dry: VecDeque<f32>,
    /// Stops the supervisor at the end.
    _supervisor: Option<Worker>,
}

impl Runner {
    /// Creates a runner. It stops the supervisor at its end.
    pub(super) fn new(
        plugin: &Arc<Plugin>,
        session: Arc<Session>,
        shape: Shape,
        supervisor: Option<Worker>,
    ) -> Self {
        Self {
            session,
            plugin: Arc::clone(plugin),
            channels: shape.channels.max(1),
            ring_latency: shape.rate as usize * RING_MS / 1_000,
            plugin_latency: 0,
            mode: Mode::Silent,
            changes: 0,
            total: 0,
            base: 0,
            dry: VecDeque::new(),
            _supervisor: supervisor,
        }
    }

    /// Returns the delay in samples per channel.
    pub fn latency(&self) -> usize {
        self.ring_latency + self.plugin_latency
    }

    /// Applies new settings to the same plugin. Returns false for another plugin.
    pub fn adjust(&mut self, plugin: &Arc<Plugin>) -> bool {
        let is_same =
            plugin.plugin == self.plugin.plugin && Arc::ptr_eq(&plugin.link, &self.plugin.link);
        if is_same {
            self.plugin = Arc::clone(plugin);
            *self.session.wanted_plugin.lock() = Some(Arc::clone(plugin));
        }
        is_same
    }

    /// Filters a block in place. Returns the number of samples per channel by which the latency grew.
    pub fn process(&mut self, block: &mut [f32]) -> usize {
        let frames = block.len() / self.channels;
        let grown = self.follow();
        self.dry.extend(block.iter());
        if let Mode::Running { ring, .. } = &self.mode {
            ring.write(block);
        }
        self.total += frames as u64;
        // The block at this position left the source one latency ago.
        let first = self.total as i64 - (frames + self.latency()) as i64;
        block.fill(0.0);
        match &self.mode {
            Mode::Silent => {}
            Mode::Running { ring, latency } => {
                let done = ring.processed();
                if done > self.total - self.base {
                    self.session.garbage.store(true, Ordering::Relaxed);
                } else {
                    let from = first + *latency as i64 - self.base as i64;
                    let skip = usize::try_from(-from).unwrap_or(0).min(frames);
                    let from = u64::try_from(from).unwrap_or(0);
                    let ready = usize::try_from(done.saturating_sub(from)).unwrap_or(0);
                    let end = frames.min(skip.saturating_add(ready));
                    let part = block.get_mut(skip * self.channels..end * self.channels);
                    ring.read_output(from, part.unwrap_or_default());
                }
            }
            Mode::Bypassed => {
                let back = (frames + self.latency()) * self.channels;
                let skip = back.saturating_sub(self.dry.len());
                let from = self.dry.len().saturating_sub(back);
                for (to, dry) in block.iter_mut().skip(skip).zip(self.dry.range(from..)) {
                    *to = *dry;
                }
            }
        }
        let over = self.dry.len().saturating_sub(self.latency() * self.channels);
        self.dry.drain(..over);
        grown
    }

    /// Returns the newest unfiltered samples, at most this many per channel.
    pub fn rest(&self, frames: usize) -> Vec<f32> {
        let from = self.dry.len().saturating_sub(frames * self.channels);
        self.dry.range(from..).copied().collect()
    }

    /// Follows the supervisor. Returns the number of samples by which the latency grew. The latency
    /// never shrinks: a plugin that is faster later waits, so that nothing is played twice.
    fn follow(&mut self) -> usize {
        let Some(shared) = self.session.mode.try_lock() else { return 0 };
        if shared.1 == self.changes {
            return 0;
        }
        self.changes = shared.1;
        let same_ring = match (&self.mode, &shared.0) {
            (Mode::Running { ring, .. }, Mode::Running { ring: new, .. }) => Arc::ptr_eq(ring, new),
            _ => false,
        };
        self.mode = shared.0.clone();
        if !same_ring {
            self.base = self.total;
        }
        let Mode::Running { latency, .. } = self.mode else { return 0 };
        let grown = latency.saturating_sub(self.plugin_latency);
        self.plugin_latency += grown;
        grown
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.plugin.link.update(|it| it.state = LinkState::Off);
    }
}

// There are rings only on this system.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::mix::plugin::plugin_id::PluginId;
    use crate::mix::plugin::simulated::{self, DELAY, SimulatedPlugin};

    const SHAPE: Shape = Shape { rate: 48_000, channels: 2 };
    const FRAMES: u64 = 480;

    /// Returns the value of both channels at a position. No two are alike.
    fn sample(position: i64) -> f32 {
        if position < 0 { 0.0 } else { position as f32 + 1.0 }
    }

    /// Passes the block at this position, and returns what comes out, one sample per frame.
    fn pass(runner: &mut Runner, position: u64) -> (Vec<f32>, usize) {
        let samples = (0..FRAMES * 2).map(|at| sample((position + at / 2) as i64));
        let mut block: Vec<f32> = samples.collect();
        let grown = runner.process(&mut block);
        assert!(block.chunks(2).all(|frame| frame[0] == frame[1]));
        (block.into_iter().step_by(2).collect(), grown)
    }

    #[test]
    fn filtered_audio_comes_one_latency_later_and_silence_where_there_is_none() {
        let (mut runner, plugin) = simulated::plugin(SHAPE);
        assert_eq!(pass(&mut runner, 0), (vec![0.0; 480], 0));
        assert_eq!(runner.latency(), 1_440);
        plugin.run();
        assert_eq!(pass(&mut runner, FRAMES), (vec![0.0; 480], DELAY as usize));
        let latency = runner.latency() as i64;
        assert_eq!(latency, 1_540);
        for block in 2..200 {
            // The process is slow at times, but never slower than it may be.
            if block % 3 != 1 {
                plugin.filter();
            }
            let (out, grown) = pass(&mut runner, block * FRAMES);
            assert_eq!(grown, 0);
            let first = (block * FRAMES) as i64 - latency;
            for (at, out) in (first..).zip(out) {
                // The first block was before the process.
                let expected = if at < FRAMES as i64 { 0.0 } else { -sample(at) };
                assert_eq!(out, expected, "{at}");
            }
        }
        // The process no longer filters.
        let silent = (200..210).map(|block| pass(&mut runner, block * FRAMES).0).skip(4);
        assert!(silent.into_iter().flatten().all(|sample| sample == 0.0));
        plugin.session.bypass();
        let (out, _) = pass(&mut runner, 210 * FRAMES);
        let first = 210 * FRAMES as i64 - latency;
        assert!((first..).zip(out).all(|(at, out)| out == sample(at)));
        let rest = runner.rest(latency as usize);
        let end = 211 * FRAMES as i64;
        assert!((end - latency..end).zip(rest.iter().step_by(2)).all(|(at, it)| *it == sample(at)));
    }

    #[test]
    fn a_position_that_cannot_be_is_reported_and_plays_silence() {
        let (mut runner, SimulatedPlugin { session, ring, .. }) = simulated::plugin(SHAPE);
        session.run(Arc::clone(&ring), 0);
        pass(&mut runner, 0);
        assert!(!session.has_garbage());
        ring.write_output(1 << 60, &[1.0; 960]);
        assert_eq!(pass(&mut runner, FRAMES).0, [0.0; 480]);
        assert!(session.has_garbage());
    }

    #[test]
    fn only_another_plugin_needs_another_process() {
        let (mut runner, SimulatedPlugin { session, .. }) = simulated::plugin(SHAPE);
        let mut same = Plugin::clone(&runner.plugin);
        assert!(same.set(1, 0.5));
        assert!(runner.adjust(&Arc::new(same.clone())));
        assert_eq!(session.wanted().as_deref(), Some(&same));
        assert!(session.wanted().is_none());
        assert!(!runner.adjust(&Arc::new(same.separate())));
        let other = PluginId { file: "/a.clap".into(), id: "a".into() };
        assert!(!runner.adjust(&Arc::new(Plugin { plugin: other, ..same })));
    }
}
