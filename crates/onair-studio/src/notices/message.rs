//! The table of all notices, with the name, level and values of each. The texts and cures are in
//! the messages with the same names in `assets/i18n/*/notices.ftl`; a test compares both. The file is
//! long because the table has a line for each notice.

use std::io;
use std::path::Path;

use crate::compose::scene::SourceId;
use crate::files::Trouble;
use crate::files::disk_space::Warning;
use crate::media::source_status::SourceAlarm;
use crate::net::CertificatePin;
use crate::player;
use crate::studio::notices::row::{Group, Row};
use crate::studio::notices::{Level, Next, Notice, Remedy, TileId, UNREADABLE_SETTINGS};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::scenes::edits::{EditRefusal, RefusedParts};
use crate::text::problem::{Problem, Value, problem};

/// Defines notices as `Variant "name" Level [texts] [problems] { further values };`. The notices in
/// `also` have names that depend on a value. Before the semicolon may stand, in this order:
/// - `of[Group …]`: the groups of the notice;
/// - `until["name" … by "value"]`: the notices that end it, if they have the same value (see [`Row`]);
/// - `remedies(…)`: the buttons with remedies, the best first.
macro_rules! notices {
    (
        also { $($also:tt)* }
        $(
            $(#[$doc:meta])*
            $variant:ident $key:literal $level:ident
                [$($text:ident)*] [$($problem:ident)*] {$($own:ident: $type:ty)*}
                $(of[$($group:ident)*])?
                $(until[$($end:literal)* by $subject:literal])?
                $(remedies($remedies:expr))?;
        )*
    ) => {
        /// A notice, before it gets a number.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum StudioMessage {
            $(
                $(#[$doc])*
                $variant { $($text: String,)* $($problem: Problem,)* $($own: $type,)* },
            )*
            $($also)*
        }

        /// The notices with names of their own.
        #[expect(clippy::needless_update, reason = "most rows lack some of the fields")]
        const NOTICES: &[Row] = &[$(Row {
            keys: &[$key],
            variables: &[$(stringify!($text),)* $(stringify!($problem)),*],
            $(groups: &[$(Group::$group),*],)?
            $(ended_by: &[$($end),*], subject: $subject,)?
            ..Row::NONE
        }),*];

        impl StudioMessage {
            /// Returns the problem with its values.
            pub fn problem(&self) -> Problem {
                match self {
                    $(Self::$variant { $($text,)* $($problem,)* .. } => {
                        problem!($key, $($text = $text,)* $($problem = $problem),*)
                    })*
                    _ => self.problem_by_value(),
                }
            }

            /// Returns the level.
            pub fn level(&self) -> Level {
                match self {
                    $(Self::$variant { .. } => Level::$level,)*
                    _ => self.level_by_value(),
                }
            }

            /// Returns the buttons with remedies, the best first.
            #[expect(unused_variables, reason = "few rows use their values")]
            pub fn remedies(&self) -> Vec<Remedy> {
                match self {
                    $(Self::$variant { $($text,)* $($problem,)* $($own,)* } => {
                        std::iter::empty()$(.chain($remedies))?.collect()
                    })*
                    _ => self.remedies_by_value(),
                }
            }
        }
    };
}

notices! {
    also {
        /// The content of a source has a problem.
        Alarm { alarm: SourceAlarm, device: String },
        /// A source cannot be opened. onair opens a file as soon as it works.
        FileFailed { path: String, reason: Problem, is_file: bool },
        /// An edit of the scenes was refused.
        Refused(EditRefusal),
        /// A problem of a target while connecting or on air; `key` is the kind of problem.
        Target {
            key: &'static str,
            id: u32,
            /// The pin of a certificate that the user may accept.
            pin: Option<CertificatePin>,
            host: String,
            cause: Problem,
            next: Next,
        },
        /// The viewers' stream differs from what onair sent; `key` is the kind of difference.
        Monitor { key: &'static str, host: String, cause: Problem },
        /// The player could not play or continue; `key` is the kind of problem.
        Watch {
            key: &'static str,
            cause: Problem,
            /// A certificate that the user may accept, and the tile that received it.
            trust: Option<(TileId, CertificatePin)>,
        },
        /// A player's message about its stream.
        Player(player::PlayerMessage),
    }

    // Devices and sources.
    CameraLost "camera-lost" Warning [device] [] {}
        of[SourceDown] until["camera-back" by "device"] remedies([Remedy::EditSource(MAIN_SOURCE)]);
    CameraStalled "camera-stalled" Warning [device] [] {}
        of[SourceDown] until["camera-back" by "device"] remedies([Remedy::UseTestSource]);
    CameraFailed "camera-failed" Warning [device] [reason] {}
        of[SourceDown] until["camera-back" by "device"] remedies([Remedy::UseTestSource]);
    CameraBack "camera-back" Info [device] [] {};
    NoCamera "no-camera" Info [] [] {} remedies([Remedy::RefreshDevices]);
    MicrophoneLost "microphone-lost" Warning [device] [] {}
        of[SourceDown AudioDown] until["microphone-back" by "device"] remedies([Remedy::OpenMixer]);
    MicrophoneStalled "microphone-stalled" Warning [device] [] {}
        of[SourceDown AudioDown] until["microphone-back" by "device"] remedies([Remedy::OpenMixer]);
    MicrophoneFailed "microphone-failed" Warning [device] [reason] {}
        of[SourceDown AudioDown] until["microphone-back" by "device"] remedies([Remedy::OpenMixer]);
    MicrophoneBack "microphone-back" Info [device] [] {};
    /// `instead` is `tone` or `silence`.
    NoMicrophone "no-microphone" Info [instead] [] {} remedies([Remedy::RefreshDevices]);
    /// A source other than a camera or microphone does not deliver.
    SourceTrouble "source-trouble" Warning [device] [reason] {}
        of[SourceDown AudioDown] until["source-back" by "device"];
    SourceBack "source-back" Info [device] [] {};
    /// The system's default device has changed, and onair uses the new one.
    DefaultChanged "default-changed" Info [device] [] {};
    /// The display of a projector is disconnected.
    ProjectorHidden "projector-hidden" Info [device] [] {};
    EncoderFailed "encoder-failed" Error [] [reason] {} of[Program] remedies([Remedy::EditQuality]);
    EncoderSlow "encoder-slow" Warning [percent] [] {}
        of[Broadcast Program] remedies([Remedy::EditQuality]);
    /// The process of an encoder failed, and was started again.
    EncoderRestarted "encoder-restarted" Warning [encoder] [reason] {} of[Broadcast Program];
    /// The encoder was nearly too slow.
    EncoderLightened "encoder-lightened" Warning [encoder preset] [] {} of[Broadcast Program];
    /// The process of an encoder failed, and the built-in encoder took over.
    EncoderReplaced "encoder-replaced" Warning [encoder now] [reason] {}
        of[Broadcast Program] remedies([Remedy::EditQuality]);
    /// The recording's own encoder failed, and the recording has the frames of the stream.
    RecordingEncoderFailed "recording-encoder-failed" Warning [] [reason] {} of[Broadcast Program];
    /// The audio cannot be encoded as Opus, so the outputs with Opus are silent.
    OpusFailed "opus-failed" Error [] [reason] {} of[Broadcast Program];
    /// The process of an audio plugin failed, and is started again. Its filter is silent until then.
    PluginRestarted "plugin-restarted" Warning [device] [reason] {}
        of[Program] until["plugin-back" by "device"] remedies([Remedy::OpenMixer]);
    /// An audio plugin does not work, and the audio passes without it.
    PluginBypassed "plugin-bypassed" Warning [device] [reason] {}
        of[Program] until["plugin-back" by "device"] remedies([Remedy::OpenMixer]);
    PluginBack "plugin-back" Info [device] [] {};
    KeyVisible "key-visible" Warning [] [] {} of[Program];
    PasswordVisible "password-visible" Warning [] [] {} of[Program];

    // Scenes.
    SourceFailed "scene-source-failed" Warning [source] [reason] { id: SourceId }
        of[SceneSource] remedies([Remedy::EditSource(*id)]);
    /// A visible source is lost.
    SourceLost "scene-source-lost" Warning [source] [reason] { id: SourceId }
        of[SceneSource] remedies([Remedy::EditSource(*id)]);
    SceneSourceBack "scene-source-back" Info [source] [] {};
    /// A source skips one of its files.
    FileLeftOut "scene-file-left-out" Warning [source path] [reason] { id: SourceId }
        of[SkippedFile] remedies([Remedy::EditSource(*id)]);
    /// A source skips several of its files.
    FilesLeftOut "scene-files-left-out" Warning [source path others] [reason] { id: SourceId }
        of[SkippedFile] remedies([Remedy::EditSource(*id)]);
    /// There is no place for another guest.
    GuestsFull "guests-full" Info [most] [] {};
    GuestsOff "guests-off" Info [] [] {};
    /// The computer does not keep up, so guests send less video.
    GuestsLowered "guests-lowered" Warning [] [] {};
    /// Guests across the internet cannot reach the studio. Those who are connected stay.
    MeetingLost "meeting-lost" Warning [host] [reason] {} until["meeting-back" by "host"];
    MeetingBack "meeting-back" Info [host] [] {};
    /// A source's audio is not played, because the maximum number of strips is reached.
    NoStrip "scene-no-strip" Warning [source] [] {} of[Program];
    /// A scene has more layers than are drawn.
    Crowded "scene-crowded" Warning [scene] [] {} of[Program];
    /// A file that this source's filters need cannot be used, so the filters have no effect.
    FilterFailed "filter-failed" Warning [source path] [reason] { id: SourceId }
        of[Filter] remedies([Remedy::EditFilters(*id)]);
    /// A mask file cannot be used, so the placeholder replaces the source and protects what the
    /// mask should hide.
    MaskFailed "mask-failed" Warning [source path] [reason] { id: SourceId }
        of[Filter] remedies([Remedy::EditFilters(*id)]);
    /// The image of a wipe or the clip of a stinger cannot be used.
    TransitionFailed "transition-failed" Warning [path] [reason] {}
        of[Transition] remedies([Remedy::EditTransition]);
    ScenesImported "scenes-imported" Info [scenes sources strips] [] {};
    /// The user dropped too many files at once.
    TooManyDropped "too-many-dropped" Warning [count most] [] {};
    /// Parts of an edit were refused.
    EditLeftOut "edit-left-out" Warning [count total] [reason] {};
    /// Parts of a collection that were not imported.
    ScenesLeftOut "scenes-left-out" Warning [] [what] {};
    ScenesImportFailed "scenes-import-failed" Error [path] [reason] {}
        until["scenes-imported" by ""];
    ScenesExported "scenes-exported" Info [path] [] {};
    ScenesExportFailed "scenes-export-failed" Error [path] [reason] {}
        until["scenes-exported" by ""];

    // Scene collections and profiles.
    /// A command for collections or profiles failed.
    PartFailed "part-failed" Error [] [reason] {};
    PartImported "part-imported" Info [name] [] {};
    PartExported "part-exported" Info [path] [] {};

    // Overload of the computer.
    PreviewDropped "degradation-preview" Warning [] [] {} of[Degradation];
    TransitionsDropped "degradation-transitions" Warning [] [] {}
        of[Degradation Program] remedies([Remedy::EditQuality]);
    /// Cosmetic filters are skipped.
    FiltersDropped "degradation-filters" Warning [] [] {}
        of[Degradation Program] remedies([Remedy::EditQuality]);
    RateHalved "degradation-rate" Warning [] [] {}
        of[Degradation Program] remedies([Remedy::EditQuality]);
    FullQuality "degradation-over" Info [] [] {} of[Degradation];

    // Adaptations to a connection.
    /// The bandwidth of the connection is lower than the configured bitrate.
    BitrateLowered "bitrate-lowered" Warning [host kbps wanted] [] {}
        of[Broadcast Adaptation] until["bitrate-restored" by ""];
    BitrateRestored "bitrate-restored" Info [kbps] [] {} of[Adaptation];
    /// The bitrate is too low for the frame size.
    SizeLowered "size-lowered" Warning [size wanted kbps] [] {}
        of[Broadcast Adaptation] until["size-restored" by ""];
    SizeRestored "size-restored" Info [size] [] {} of[Adaptation];
    /// This target gets the second encode.
    RenditionLowered "rendition-lowered" Warning [host size kbps] [] {}
        of[Broadcast Adaptation] until["rendition-restored" by "host"];
    RenditionRestored "rendition-restored" Info [host] [] {} of[Adaptation];
    /// The required second encode is not available.
    RenditionFailed "rendition-failed" Warning [] [reason] {} of[Adaptation];
    /// The video is sent in fewer sizes at once, because the connection or this computer is slow.
    LayersReduced "layers-reduced" Warning [sent wanted] [] {}
        of[Broadcast Adaptation] until["layers-restored" by ""];
    LayersRestored "layers-restored" Info [wanted] [] {} of[Adaptation];
    /// The smaller sizes cannot be encoded.
    LayersFailed "layers-failed" Warning [] [reason] {} of[Adaptation];
    /// The connection to a target is too slow for the stream.
    FramesDropped "frames-dropped" Warning [host] [] { id: u32 kbps: Option<u32> }
        of[DroppedFrames Broadcast]
        until["frames-dropped-over" by "host"]
        remedies(kbps.map(Remedy::LowerBitrate));
    /// This computer is too busy to send all frames in time.
    FramesLate "frames-late" Warning [host] [] { id: u32 }
        of[DroppedFrames Broadcast]
        until["frames-dropped-over" by "host"]
        remedies([Remedy::EditQuality]);
    /// The connection is fast enough again, or the target has ended.
    FramesDroppedOver "frames-dropped-over" Info [host dropped total seconds] [] { id: u32 };

    // Targets.
    /// No target is enabled.
    NoTarget "no-target" Error [] [] {} of[Target] until["target-back" "target-on-air" by "host"];
    TargetInvalid "target-invalid" Error [host] [reason] { id: u32 }
        of[Target]
        until["target-back" "target-on-air" by "host"]
        remedies([Remedy::EditTarget(*id), Remedy::SwitchOff(*id)]);
    TargetBack "target-back" Info [host server seconds frames] [] { id: u32 };
    /// Only for the event log: the stream has reached a target; `server` is `built-in` or `other`.
    TargetOnAir "target-on-air" Info [host server] [] {};
    /// A setting exceeds a limit of the service.
    Misfit "misfit" Warning [] [reason] { kbps: Option<u32> }
        of[Broadcast] remedies(kbps.map(Remedy::LowerBitrate));
    /// A key or an address could not be stored, read or deleted.
    KeyNotKept "key-not-kept" Warning [] [reason] {};
    /// An address that the settings name is neither in the keyring nor in the private file.
    AddressLost "address-lost" Warning [] [] {};
    /// The keyring does not return the stored keys. The notice ends when they arrive.
    KeyringSilent "keyring-silent" Warning [] [] {};
    /// The address of a target is valid, but may not mean what the user thinks.
    AddressRemark "address-remark" Info [host] [reason] {};
    /// A server did not announce support for the codecs of a passthrough.
    CodecsUnannounced "codecs-unannounced" Warning [host codecs] [] {};
    /// A server takes one audio track only, and does not get the others of a target.
    ExtrasLeftOut "target-tracks-left-out" Warning [host] [] {id: u32} of[Broadcast Program];
    /// A server takes one video track only, and does not get the further renditions of a target.
    ExtraRenditionsLeftOut "target-renditions-left-out" Warning [host] [] {id: u32}
        of[Broadcast Program];
    /// A further rendition cannot be encoded.
    ExtraRenditionFailed "target-rendition-failed" Warning [] [reason] {} of[Broadcast Program];
    /// A server takes fewer sizes of the video at once than a target is to get.
    LayersLeftOut "target-layers-left-out" Warning [host wanted taken] [] {id: u32}
        of[Broadcast Program];
    /// A server did not say that it takes the codec of the video, and gets H.264.
    CodecReplaced "codec-replaced" Info [host codecs] [] {};
    ServerSays "server-says" Info [host text] [] {};
    Redirected "redirected" Info [host to] [] {};
    /// The other host does not get the user and the password.
    RedirectedWithoutLogin "redirected-without-login" Warning [host to] [] {};
    /// Viewers again get the stream that onair sends.
    MonitorWell "monitor-well" Info [host seconds] [] {};
    NetworkChanged "network-changed" Info [came gone] [] {};
    /// The computer slept.
    Slept "slept" Info [seconds] [] {};
    BroadcastEnded "broadcast-ended" Info [time sent dropped lost] [] {};
    /// Viewers see the stream with this delay.
    DelayOn "delay-on" Info [time] [] {};
    /// There is not enough space for the whole stream delay.
    DelayShort "delay-short" Warning [time wanted] [reason] {} of[Program];
    /// A file cannot be sent, or was not sent completely.
    PassthroughFailed "passthrough-failed" Error [path] [reason] {} of[Program];
    PassthroughEnded "passthrough-ended" Info [path] [] {};
    /// A file is sent without this track.
    PassthroughWithout "passthrough-without" Warning [path] [track] {} of[Program];
    /// A part of a file was not sent to a target.
    PassthroughLeftOut "passthrough-left-out" Warning [host] [] { id: u32 }
        of[DroppedFrames Broadcast] until["frames-dropped-over" by "host"];

    // The built-in server.
    FaultStruck "fault-struck" Info [fault] [] {};
    /// Any user of another computer may publish at this address.
    ServerOpen "server-open" Warning [address] [] {};
    /// Clients on other computers can play the streams at this address.
    ServerOpenToPlay "server-open-to-play" Info [address] [] {};
    /// The limit of open descriptors allows few clients.
    ServerFewFiles "server-few-files" Warning [limit clients] [] {};
    ServerLittleMemory "server-little-memory" Warning [megabytes] [] {};
    /// The cores that renditions of a stream need, before one is encoded.
    RenditionsNeed "renditions-need" Info [cores available] [] {};
    PortTaken "port-taken" Info [wanted used] [] {};
    ServerFailed "server-failed" Error [] [reason] {} of[Program];
    /// The server cannot change whether other computers reach it.
    ServerNotMoved "server-not-moved" Error [] [reason] {};
    /// The built-in server cannot use its changed certificate.
    CertificateKept "certificate-kept" Warning [] [reason] {};
    /// The built-in server has a certificate of an authority.
    CertificateIssued "certificate-issued" Info [domains] [] {};
    /// The authority issued no certificate, and is asked again. `next` is the time until then in minutes.
    CertificateFailed "certificate-failed" Warning [domains next] [reason] {}
        until["certificate-issued" by "domains"];
    /// Remote control cannot listen.
    RemoteFailed "remote-failed" Error [] [reason] {};
    /// A rule made other rules run for ever.
    RulePaused "rule-paused" Warning [rule] [] {};
    /// The virtual camera cannot be offered to other programs.
    VirtualCameraFailed "virtual-camera-failed" Error [] [reason] {};

    // Files that are being written.
    /// Nothing was recorded.
    RecordingNotStarted "recording-not-started" Error [path] [reason] {}
        of[RecordingEnded] remedies([Remedy::ChooseFolder]);
    RecordingFailed "recording-failed" Error [path] [reason] {}
        of[RecordingEnded] remedies([Remedy::ChooseFolder]);
    /// The next file cannot be created; the current one continues.
    RecordingHeld "recording-held" Warning [path] [reason] {}
        of[Program] remedies([Remedy::ChooseFolder]);
    RecordingRenamed "recording-renamed" Info [path] [] {};
    /// There is no recording to pause, split or mark.
    RecordingNone "recording-none" Info [] [] {};
    /// The format does not support the extra audio tracks.
    TracksLeftOut "tracks-left-out" Warning [path] [] {} of[Program];
    RecordingSaved "recording-saved" Info [path] [] {}
        remedies([Remedy::ShowRecording, Remedy::PlayRecording]);
    RecordingRepaired "recording-repaired" Info [path] [] {}
        remedies([Remedy::ShowRecording, Remedy::PlayRecording]);
    /// The next start tries again.
    RecordingNotRepaired "recording-not-repaired" Error [path] [reason] {};
    RecordingLost "recording-lost" Error [path] [reason] {};
    DiskSpace "disk-space" Warning [minutes megabytes] [] {}
        of[Program] remedies([Remedy::ChooseFolder]);
    DiskSlow "disk-slow" Warning [seconds] [] {} of[Program] remedies([Remedy::ChooseFolder]);
    ChapterAdded "chapter-added" Info [title] [] {};
    ReplaySaved "replay-saved" Info [path] [] {}
        remedies([Remedy::ShowInFolder, Remedy::PlayRecording]);
    ReplayFailed "replay-failed" Error [path] [reason] {} remedies([Remedy::ChooseFolder]);
    ReplayEmpty "replay-empty" Info [] [] {};
    SnapshotSaved "screenshot-saved" Info [path] [] {} remedies([Remedy::ShowInFolder]);
    SnapshotFailed "screenshot-failed" Error [path] [reason] {} remedies([Remedy::ChooseFolder]);
    /// Monitoring does not work.
    MonitoringFailed "monitoring-failed" Error [] [reason] {};
    /// A strip captures the monitoring device.
    MonitoringCaptured "monitoring-captured" Warning [source] [] {};
    /// An earlier run crashed.
    Crashed "crashed" Warning [path] [] {};
    /// An earlier run ended unexpectedly while on air.
    Interrupted "on-air-interrupted" Error [scene] [targets] {} remedies([Remedy::Resume]);
    /// The display is gone, and the stream continues.
    DisplayLost "display-lost" Warning [] [] {};
    SettingsBad "settings-bad" Warning [] [reason] {}
        remedies((reason.id() == UNREADABLE_SETTINGS).then_some(Remedy::ShowInFolder));
    SettingsNotSaved "settings-not-saved" Warning [path] [reason] {};
    EventLogFailed "event-log-failed" Warning [path] [reason] {};

    // Findings of the pre-flight check.
    FoundVideo "found-video" Info [] [name] {};
    FoundNoVideo "found-no-video" Error [] [reason] {} remedies([Remedy::UseTestSource]);
    /// A visible source delivers nothing while others do.
    FoundSourceDown "found-source-down" Warning [source] [] {};
    FoundAudio "found-audio" Info [db] [] {};
    FoundSilence "found-silence" Warning [] [] {};
    FoundLoud "found-loud" Warning [db] [] {};
    /// Viewers do not hear the main audio source.
    FoundMonitorOnly "found-monitor-only" Warning [source] [] {};
    FoundNoAudio "found-no-audio" Warning [] [reason] {} remedies([Remedy::RefreshDevices]);
    /// An audio source other than the main one does not deliver.
    FoundAudioDown "found-audio-down" Warning [source] [reason] {};
    FoundMuted "found-muted" Warning [] [] {} remedies([Remedy::Unmute]);
    /// The disk has space for this many hours of recording.
    FoundDisk "found-disk" Info [folder hours] [] {};
    /// Recordings can be written, but the free space is unknown.
    FoundDiskUnknown "found-disk-unknown" Info [folder] [] {};
    FoundDiskLittle "found-disk-little" Warning [folder hours] [] {}
        remedies([Remedy::ChooseFolder]);
    FoundFolderBad "found-folder-bad" Warning [folder] [reason] {} remedies([Remedy::ChooseFolder]);
    /// The requested recording could not start.
    FoundRecordBad "found-record-bad" Error [path] [reason] {} remedies([Remedy::ChooseFolder]);
    FoundClock "found-clock" Info [time] [] {};
    /// The clock is not synchronized.
    FoundClockAlone "found-clock-alone" Info [time] [] {};
    FoundClockWrong "found-clock-wrong" Error [time] [] {};
    /// The measured bitrate of the connection to a server.
    FoundUpload "found-upload" Info [host kbps] [] {};
    FoundUploadNarrow "found-upload-narrow" Warning [host kbps wanted] [] { id: u32 };
    /// The upload to several targets together, which were measured one after another. A connection
    /// that is too slow for even one target has its own warning.
    FoundUploadTotal "found-upload-total" Info [count kbps] [] {};
    /// The upload is unknown: the service has no test mode, or the test gave no result.
    FoundNotMeasured "found-not-measured" Info [host] [] {};
    /// The upload to a custom server is unknown: the user has not agreed to a test stream.
    FoundNeedsTestStream "found-needs-test-stream" Info [host] [] {};
    /// The upload to a custom server is unknown: the server does not accept a test stream.
    FoundTestStreamRefused "found-test-stream-refused" Info [host] [] {};
    /// The user asked for test streams, but no target with a custom server is on.
    FoundNoTestStream "found-no-test-stream" Warning [] [] {};
    /// The speed of the encoder relative to the required speed.
    FoundEncoder "found-encoder" Info [times] [] {};
    /// Not every target takes the codec.
    FoundCodec "found-codec" Info [codec] [] {};
    /// Not every target takes B-frames.
    FoundBFrames "found-b-frames" Info [host] [] {};
    /// The encoder is fast enough, with little reserve.
    FoundEncoderSlow "found-encoder-slow" Warning [times] [] {};
    /// The encoder is too slow, so frames would be dropped.
    FoundEncoderTooSlow "found-encoder-too-slow" Error [times] [] {};
    FoundEncoderFailed "found-encoder-failed" Error [] [reason] {};
    FoundTarget "found-target" Info [host ms] [] {};
    FoundTargetFailed "found-target-failed" Error [host] [cause] { id: u32 pin: Option<CertificatePin> }
        remedies([certificate_remedy(*id, *pin).unwrap_or(Remedy::EditTarget(*id))]);
}

/// The names of alarms.
const ALARM_NAMES: &[(SourceAlarm, &str)] = &[
    (SourceAlarm::Black, "video-black"),
    (SourceAlarm::Frozen, "video-frozen"),
    (SourceAlarm::BlackStream, "stream-black"),
    (SourceAlarm::FrozenStream, "stream-frozen"),
    (SourceAlarm::BlackFile, "clip-black"),
    (SourceAlarm::FrozenFile, "clip-frozen"),
    (SourceAlarm::BlackScreen, "screen-black"),
    (SourceAlarm::BlackWindow, "window-black"),
    (SourceAlarm::OtherFormat, "camera-format"),
    (SourceAlarm::Zero, "audio-zero"),
    (SourceAlarm::Silent, "audio-silent"),
    (SourceAlarm::Quiet, "audio-faint"),
    (SourceAlarm::Clipped, "audio-clipped"),
    (SourceAlarm::SystemSilent, "system-silent"),
    (SourceAlarm::PlayedSilent, "played-silent"),
];

/// The names of refused edits.
const REFUSED_EDIT_NAMES: &[(EditRefusal, &str)] = &[
    (EditRefusal::TooMany, "items-too-many"),
    (EditRefusal::TooManySources, "sources-too-many"),
    (EditRefusal::TooManyScenes, "scenes-too-many"),
    (EditRefusal::TooManyFiles, "files-too-many"),
    (EditRefusal::InvalidPath, "path-invalid"),
    (EditRefusal::TooDeep, "items-too-deep"),
    (EditRefusal::Cut, "ungroup-cut"),
    (EditRefusal::Stretched, "ungroup-stretched"),
    (EditRefusal::Scaled, "ungroup-scaled"),
];

/// The names of the reasons for refused edits.
const REFUSAL_REASONS: &[(EditRefusal, &str)] = &[
    (EditRefusal::TooMany, "too-many-items"),
    (EditRefusal::TooManySources, "too-many-sources"),
    (EditRefusal::TooManyScenes, "too-many-scenes"),
    (EditRefusal::TooManyFiles, "too-many-files"),
    (EditRefusal::InvalidPath, "invalid-path"),
    (EditRefusal::TooDeep, "nested-too-deep"),
    (EditRefusal::Cut, "group-cut"),
    (EditRefusal::Stretched, "group-stretched"),
    (EditRefusal::Scaled, "group-scaled"),
];

/// Notices from whose names a value selects one.
const NOTICES_BY_VALUE: &[Row] = &[
    Row {
        keys: &["file-failed"],
        variables: &["path", "reason"],
        groups: &[Group::SourceDown],
        ..Row::NONE
    },
    Row {
        keys: &[
            "target-settings",
            "target-no-such-host",
            "target-unreachable",
            "target-timeout",
            "target-certificate",
            "target-not-rtmp",
            "target-refused",
            "target-busy",
            "target-lost",
            "target-failed",
        ],
        groups: &[Group::Target],
        ..TARGET
    },
    Row {
        keys: &["target-no-network", "target-silent"],
        groups: &[Group::Target, Group::Broadcast],
        ..TARGET
    },
    Row {
        keys: &[
            "monitor-unreachable",
            "monitor-no-stream",
            "monitor-stalled",
            "monitor-different",
            "monitor-black",
            "monitor-frozen",
            "monitor-silent",
            "monitor-late",
            "monitor-wrong-size",
        ],
        variables: &["host", "cause"],
        groups: &[Group::Monitor],
        ..Row::NONE
    },
    Row {
        keys: &[
            "watch-no-stream",
            "watch-unreachable",
            "watch-refused",
            "watch-lost",
            "watch-codec",
            "watch-file",
            "watch-failed",
        ],
        variables: &["cause"],
        groups: &[Group::Player],
        ..Row::NONE
    },
];

/// A problem of a target.
const TARGET: Row = Row {
    variables: &["host", "cause", "next"],
    ended_by: &["target-back", "target-on-air"],
    subject: "host",
    ..Row::NONE
};

/// Notices of the player, whose table is in `player`.
const PLAYER_NOTICES: &[Row] = &[
    Row {
        keys: &[
            "player-audio-missing",
            "player-damaged-audio",
            "player-damaged-stream",
            "player-damaged-video",
            "player-file-damaged",
            "player-fixed",
            "player-no-audio-codec",
            "player-no-headers",
            "player-no-keyframe",
            "player-no-start",
            "player-no-video-codec",
            "player-unmoved",
        ],
        groups: &[Group::Playback],
        ..Row::NONE
    },
    Row {
        keys: &["player-stalled", "player-too-slow"],
        groups: &[Group::Playback, Group::Progress],
        ..Row::NONE
    },
    Row {
        keys: &["player-no-speaker"],
        groups: &[Group::Playback],
        ended_by: &["player-speaker-back"],
        ..Row::NONE
    },
];

/// Returns the name of a value in a table.
fn named<T: Copy + PartialEq>(table: &[(T, &'static str)], value: T) -> &'static str {
    table.iter().find(|(it, _)| *it == value).map_or("", |(_, name)| name)
}

/// Returns the name of an alarm's message.
pub(crate) fn alarm_key(alarm: SourceAlarm) -> &'static str {
    named(ALARM_NAMES, alarm)
}

/// Returns true if a server refuses the user name and the password of a target, which are part of
/// its address, rather than its stream key.
pub(crate) fn wants_login(cause: &Problem) -> bool {
    cause.own_cure().is_some_and(|cure| cure.id() == "net-cure-login")
}

/// Returns true if a target's server failed or ended the connection, so that the stream key may be
/// right. After a publish request, ending the connection can also mean a wrong key.
pub(crate) fn is_server_failure(cause: &Problem) -> bool {
    cause.contains("net-refused-failed")
        || cause.contains("net-refused-closed") && !cause.contains("net-at-publish")
}

/// Returns true if a server ended a stream that it had accepted, so that the stream key may be
/// right.
pub(crate) fn is_ended_by_server(cause: &Problem) -> bool {
    cause.contains("net-at-media") && !cause.contains("net-refused-unauthorized")
}

/// Returns true if a server refused before it knew the stream key.
pub(crate) fn wants_application(cause: &Problem) -> bool {
    let refused = cause.contains("net-at-connect") && !wants_login(cause);
    cause.contains("net-refused-app") || refused && !cause.contains("net-refused-unauthorized")
}

/// Returns the server's own text about a refusal.
pub(crate) fn server_text(cause: &Problem) -> Option<String> {
    let is_quoted = matches!(cause.id(), "net-server-says" | "net-server-text");
    let words = cause.args().iter().find(|(name, _)| is_quoted && *name == "words");
    match words {
        Some((_, Value::Text(words))) => Some(words.to_string()),
        _ => cause.inner().find_map(server_text),
    }
}

/// Returns true if a refusal with this cause is about the stream key.
fn wants_key(cause: &Problem) -> bool {
    !wants_login(cause)
        && !is_server_failure(cause)
        && !is_ended_by_server(cause)
        && !wants_application(cause)
        && server_text(cause).is_none_or(|_| cause.contains("net-refused-unauthorized"))
}

/// Returns the rows of all notices but alarms and refused edits.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    [NOTICES, NOTICES_BY_VALUE, PLAYER_NOTICES].into_iter().flatten()
}

/// Returns true if the key is the name of an alarm.
pub(super) fn is_alarm(key: &str) -> bool {
    ALARM_NAMES.iter().any(|(_, name)| *name == key)
}

fn certificate_remedy(target: u32, pin: Option<CertificatePin>) -> Option<Remedy> {
    pin.map(|pin| Remedy::TrustCertificate { target, pin })
}

impl StudioMessage {
    /// Returns all names with the variables of their texts, for the test that checks each language.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        let named = |row: &'static Row| row.keys.iter().map(move |key| (*key, row.variables));
        let alarms = ALARM_NAMES.iter().map(|(_, name)| (*name, &["device"][..]));
        let refusals = REFUSED_EDIT_NAMES.iter().map(|(_, name)| (*name, &["reason"][..]));
        let tables = [NOTICES, NOTICES_BY_VALUE].into_iter().flatten();
        tables.flat_map(named).chain(alarms).chain(refusals)
    }

    /// Returns the message about refused parts of an edit; `done` is true if other parts were
    /// applied.
    pub fn refused(RefusedParts { reason, count, total }: RefusedParts, done: bool) -> Self {
        if !done {
            return Self::Refused(reason);
        }
        let (count, total) = (count.to_string(), total.to_string());
        let reason = Problem::new(named(REFUSAL_REASONS, reason), []);
        Self::EditLeftOut { count, total, reason }
    }

    /// Returns the message as a notice with this number and the system's text.
    pub fn notice(&self, id: u64, detail: impl Into<String>) -> Notice {
        Notice {
            id,
            problem: self.problem(),
            level: self.level(),
            detail: detail.into(),
            file: None,
            remedies: self.remedies(),
            target: self.target(),
            wall_micros: 0,
            times: 1,
        }
        .sanitized()
    }

    fn problem_by_value(&self) -> Problem {
        match self {
            Self::Alarm { alarm, device } => {
                Problem::new(alarm_key(*alarm), [("device", device.into())])
            }
            Self::FileFailed { path, reason, is_file } => {
                let failed = problem!("file-failed", path = path, reason = reason);
                if *is_file { failed.with_cure(problem!("file-cure")) } else { failed }
            }
            Self::Refused(refusal) => {
                let reason = Problem::new(named(REFUSAL_REASONS, *refusal), []);
                Problem::new(named(REFUSED_EDIT_NAMES, *refusal), [("reason", reason.into())])
            }
            &Self::Target { key, ref host, ref cause, next, .. } => {
                let next = Problem::from(next);
                let values =
                    [("host", host.into()), ("cause", cause.into()), ("next", next.into())];
                Problem::new(key, values)
            }
            &Self::Monitor { key, ref host, ref cause } => {
                Problem::new(key, [("host", host.into()), ("cause", cause.into())])
            }
            &Self::Watch { key, ref cause, .. } => Problem::new(key, [("cause", cause.into())]),
            Self::Player(message) => message.problem.clone(),
            _ => Problem::default(),
        }
    }

    fn level_by_value(&self) -> Level {
        match self {
            // A server that transcodes the stream is reported for information, not as a problem.
            Self::Monitor { key: "monitor-wrong-size", .. } => Level::Info,
            Self::Player(message) if message.severity == player::Severity::Info => Level::Info,
            Self::FileFailed { .. }
            | Self::Watch { .. }
            | Self::Target { next: Next::GivenUp | Next::TimeOver(_), .. } => Level::Error,
            _ => Level::Warning,
        }
    }

    /// Returns the id of the target.
    fn target(&self) -> Option<u32> {
        match self {
            Self::Target { id, .. }
            | Self::TargetInvalid { id, .. }
            | Self::PassthroughLeftOut { id, .. }
            | Self::ExtrasLeftOut { id, .. }
            | Self::ExtraRenditionsLeftOut { id, .. }
            | Self::LayersLeftOut { id, .. }
            | Self::FramesDropped { id, .. }
            | Self::FramesLate { id, .. }
            | Self::FramesDroppedOver { id, .. }
            | Self::TargetBack { id, .. } => Some(*id),
            _ => None,
        }
    }

    fn remedies_by_value(&self) -> Vec<Remedy> {
        match self {
            Self::Alarm { alarm, .. } if alarm_key(*alarm).starts_with("audio-") => {
                vec![Remedy::OpenMixer]
            }
            &Self::Target { id, pin: Some(pin), .. } => {
                certificate_remedy(id, Some(pin)).into_iter().collect()
            }
            Self::Watch { trust: Some((tile, pin)), .. } => {
                vec![Remedy::TrustStream { tile: *tile, pin: *pin }]
            }
            &Self::Target {
                key: "target-refused", id, ref cause, next: Next::Retry(_), ..
            } if wants_key(cause) => {
                vec![Remedy::EditKey(id), Remedy::RetryNow, Remedy::SwitchOff(id)]
            }
            &Self::Target { key: "target-refused", id, ref cause, next, .. }
                if is_ended_by_server(cause) && !is_server_failure(cause) =>
            {
                let again = match next {
                    Next::Retry(_) => Remedy::RetryNow,
                    _ => Remedy::StartTarget(id),
                };
                vec![again, Remedy::EditKey(id), Remedy::SwitchOff(id)]
            }
            &Self::Target { id, next: Next::Retry(_), .. } => {
                vec![Remedy::RetryNow, Remedy::EditTarget(id), Remedy::SwitchOff(id)]
            }
            Self::Target { next: Next::Waiting, .. } => Vec::new(),
            &Self::Target { key: "target-refused", id, ref cause, .. } if wants_key(cause) => {
                vec![Remedy::EditKey(id), Remedy::StartTarget(id), Remedy::SwitchOff(id)]
            }
            &Self::Target { key: "target-refused", id, ref cause, .. }
                if is_ended_by_server(cause) =>
            {
                vec![Remedy::StartTarget(id), Remedy::EditTarget(id), Remedy::SwitchOff(id)]
            }
            &Self::Target { id, .. } => {
                vec![Remedy::EditTarget(id), Remedy::StartTarget(id), Remedy::SwitchOff(id)]
            }
            Self::FileFailed { .. } => vec![Remedy::TryAgain],
            Self::Player(message) if message.key() == "player-saved" => {
                vec![Remedy::ShowRecording, Remedy::PlayRecording]
            }
            _ => Vec::new(),
        }
    }

    /// Returns the message for a warning about the disk of a recording.
    pub fn of_disk(warning: Warning) -> Self {
        match warning {
            Warning::Space { left, free } => Self::DiskSpace {
                minutes: (left.as_secs() / 60).to_string(),
                megabytes: (free / 1_000_000).to_string(),
            },
            Warning::Slow { queued } => Self::DiskSlow { seconds: queued.as_secs().to_string() },
        }
    }

    /// Returns the message that the settings could not be saved to this file.
    pub fn settings_not_saved(path: &Path, error: &io::Error) -> Self {
        let (path, reason) = (path.display().to_string(), Trouble::settings_problem(error));
        Self::SettingsNotSaved { path, reason }
    }
}
