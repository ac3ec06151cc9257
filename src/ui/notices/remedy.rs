//! The texts of notices, and the effects of their buttons.

use crate::base::Secret;
use crate::media::BitsPerSecond;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services;
use crate::studio::{Command, Notice, Remedy, Target, TargetPlace, WatchCommand};
use crate::ui::input::actions::key;
use crate::ui::text::{Texts, format};
use crate::ui::view::{View, WindowRequest};
use crate::wire::rtmp::url::Url;

/// Returns the texts of a notice in the language of the window.
pub fn words(texts: &Texts, notice: &Notice) -> (String, String) {
    (texts.say(&notice.problem), texts.cure(&notice.problem).unwrap_or_default())
}

/// Returns the text of a remedy's button.
pub fn remedy_name(texts: &Texts, remedy: Remedy) -> String {
    let name = match remedy {
        Remedy::RetryNow | Remedy::StartTarget(_) => key!("remedy-retry"),
        Remedy::EditTarget(_) => key!("remedy-target"),
        Remedy::EditKey(_) => key!("remedy-key"),
        Remedy::ShowViewers(_) => key!("remedy-viewers"),
        Remedy::UsePort443(_) => key!("remedy-port-443"),
        Remedy::Resume => key!("remedy-resume"),
        Remedy::SwitchOff(_) => key!("remedy-switch-off"),
        Remedy::LowerBitrate(kbps) => {
            return texts.with("remedy-bitrate", &[("kbps", format::grouped(kbps.into()).into())]);
        }
        Remedy::TrustCertificate { .. } | Remedy::TrustStream { .. } => key!("remedy-trust"),
        Remedy::UseTestSource => key!("remedy-test"),
        Remedy::Unmute => key!("unmute"),
        Remedy::RefreshDevices => key!("remedy-refresh"),
        Remedy::ChooseFolder => key!("remedy-folder"),
        Remedy::EditSource(_) => key!("remedy-source"),
        Remedy::EditFilters(_) => key!("remedy-filters"),
        Remedy::EditTransition => key!("remedy-transition"),
        Remedy::EditQuality => key!("remedy-quality"),
        Remedy::OpenMixer => key!("action-mixer"),
        Remedy::TryAgain => key!("try-again"),
        Remedy::PlayRecording => key!("recordings-play"),
        Remedy::ShowRecording => key!("remedy-recording"),
        Remedy::ShowInFolder => key!("recordings-show"),
    };
    texts.get(name).to_string()
}

/// Returns true if the problem is over once the remedy was carried out, so that its notice can be
/// removed.
pub fn is_final(remedy: Remedy) -> bool {
    !matches!(
        remedy,
        Remedy::RetryNow
            | Remedy::StartTarget(_)
            | Remedy::UsePort443(_)
            | Remedy::EditTarget(_)
            | Remedy::EditKey(_)
            | Remedy::ShowViewers(_)
            | Remedy::ChooseFolder
            | Remedy::EditSource(_)
            | Remedy::EditFilters(_)
            | Remedy::EditTransition
            | Remedy::EditQuality
            | Remedy::OpenMixer
            | Remedy::TryAgain
            | Remedy::ShowInFolder
    )
}

/// Carries out a remedy. For some remedies, this shows the settings that the user must change.
pub fn apply(view: &mut View<'_>, remedy: Remedy) {
    match remedy {
        Remedy::RetryNow => view.send(Command::RetryNow),
        Remedy::StartTarget(id) => view.send(Command::StartTarget(id)),
        Remedy::Resume => view.send(Command::Resume),
        Remedy::UsePort443(id) => {
            let known = view.snapshot.targets.iter().find(|entry| entry.target.id == id);
            let other = known.and_then(|it| services::on_port_443(it.target.server()));
            if let (Some(entry), Some(server)) = (known, other) {
                let place =
                    TargetPlace::Custom { server: server.to_owned(), key: key_of(&entry.target) };
                view.send(Command::PutTarget(Target { place, ..entry.target.clone() }));
            }
        }
        Remedy::SwitchOff(id) => {
            let target = view.snapshot.targets.iter().find(|entry| entry.target.id == id);
            if let Some(entry) = target {
                let target = Target { enabled: false, ..entry.target.clone() };
                view.send(Command::PutTarget(target));
            }
        }
        Remedy::LowerBitrate(kbps) => {
            let video_bitrate = BitsPerSecond(kbps * 1_000);
            let quality = Quality { video_bitrate, ..view.snapshot.quality.clone() };
            view.send(Command::SetQuality(quality));
        }
        Remedy::UseTestSource => crate::ui::scenes::show_test_pattern(view),
        Remedy::Unmute => view.send(Command::SetMuted(false)),
        Remedy::RefreshDevices => view.send(Command::RefreshDevices),
        Remedy::ChooseFolder => view.request(WindowRequest::PickRecordingFolder),
        Remedy::TrustCertificate { target, pin } => {
            view.send(Command::TrustCertificate { target, pin });
        }
        Remedy::TrustStream { tile, pin } => {
            view.send(Command::Player(WatchCommand::Trust { tile, pin }));
        }
        Remedy::TryAgain => view.send(Command::TryAgain),
        Remedy::EditTarget(_)
        | Remedy::EditKey(_)
        | Remedy::ShowViewers(_)
        | Remedy::EditSource(_)
        | Remedy::EditFilters(_)
        | Remedy::EditTransition
        | Remedy::EditQuality
        | Remedy::OpenMixer
        | Remedy::PlayRecording
        | Remedy::ShowRecording
        | Remedy::ShowInFolder => {}
    }
}

/// Returns the key of a target with its query, also if the key is a part of the URL.
fn key_of(target: &Target) -> Secret {
    match target.key() {
        Some(key) => key.clone(),
        None if target.key_apart => Secret::default(),
        None => Url::parse(target.server()).map(|url| url.stream).unwrap_or_default(),
    }
}
