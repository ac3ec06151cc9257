//! Tests of a player whose speaker disappears during playback and returns.

use std::time::Duration;

use onair::base::{Clock, Latest, Stop, Timestamp};
use onair::media::VideoFrame;
use onair::net::Runtime;
use onair::player::{Config, Event, Player, Source};

use super::{LIMIT, inside, module, pactl};

/// Returns true if one of the waiting events is a notice with this key.
fn has_notice(player: &Player, key: &str) -> bool {
    player.events().waiting().any(|event| match event {
        Event::Message(message) => {
            eprintln!("  {}: {} {}", message.key(), message.problem, message.detail);
            message.key() == key
        }
        Event::State(_) | Event::Over(_) | Event::Line(_) => false,
    })
}

fn wait(what: &str, mut enough: impl FnMut() -> bool) {
    let clock = Clock::start();
    while !enough() {
        assert!(clock.now() < Timestamp::ZERO + LIMIT, "{what}");
        Stop::new().wait(Duration::from_millis(10));
    }
}

#[test]
fn inside_pulse_played() {
    if !inside("pulse") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.flv");
    let inputs = "-f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine -t 120";
    let how = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -c:a aac";
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(inputs.split(' ').chain(how.split(' ')))
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let config = Config::new(Source::File(film));
    let screen = Latest::<VideoFrame>::default();
    let mut player = Player::open(&config, &runtime, clock, screen).unwrap();
    wait("the speaker", || player.figures().device && player.figures().audio_samples > 48_000);
    // Both speakers are removed, so that the server cannot move the stream to the other one.
    pactl(&["unload-module", &module("sink_name=mic_feed")]);
    pactl(&["unload-module", &module("sink_name=speakers")]);
    wait("that it is gone", || has_notice(&player, "player-no-speaker"));
    let shown = player.figures().shown;
    wait("more pictures", || player.figures().shown > shown + 50);
    let (null, rate) = ("module-null-sink", "rate=48000");
    pactl(&["load-module", null, "sink_name=speakers", rate, "channels=2", "norewinds=1"]);
    wait("that it is back", || has_notice(&player, "player-speaker-back"));
    let samples = player.figures().audio_samples;
    wait("sound on it", || {
        player.figures().device && player.figures().audio_samples > samples + 48_000
    });
    assert!(player.stop(Duration::from_secs(30)), "a thread hangs");
    runtime.shutdown(Duration::from_secs(2));
}
