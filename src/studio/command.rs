//! Everything a person can ask of the studio.

use std::path::PathBuf;

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::studio::target::{TargetChoice, Wanted};
use crate::studio::{Preferences, Quality};

/// A wish of the person at the window or on the command line.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Show this picture source.
    SelectVideo(VideoChoice),
    /// Hear this sound source.
    SelectAudio(AudioChoice),
    /// Encode like this.
    SetQuality(Quality),
    /// Send there at the next *Go Live*. Ignored on air.
    SetTarget(TargetChoice),
    /// Send there at the next *Go Live* instead of to the target above: several at once.
    SetTargets(Vec<Wanted>),
    /// Start broadcasting.
    GoLive,
    /// End the broadcast cleanly.
    StopLive,
    /// Do not wait for the next try.
    RetryNow,
    /// Record what goes out into this FLV file.
    StartRecording(PathBuf),
    /// Finish the recording.
    StopRecording,
    /// Gain of the sound source in decibels, -60…+20.
    SetGain(f32),
    /// Mute the sound source.
    SetMuted(bool),
    /// Put the clip lamp out.
    ClearClip,
    /// Pull this stream or local FLV file and show it.
    Watch { url: String },
    /// Stop showing it.
    StopWatching,
    /// Loudness of the player, 0…1.
    SetVolume(f32),
    /// Silence the player.
    SetPlayerMuted(bool),
    /// Look for cameras and microphones again.
    RefreshDevices,
    /// Look and behave like this; remembered.
    SetPreferences(Preferences),
    /// The person has read this notice.
    Dismiss(u64),
    /// End everything; [`Snapshot::ended`](crate::studio::Snapshot) tells when it is done.
    Quit,
}
