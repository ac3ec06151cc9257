//! Guests of the show: one on air, one in the lobby, one who has lost the connection, and one who is invited.

use std::sync::Arc;
use std::time::Duration;

use onair::media::Size;
use onair::mix::StripId;
use onair::server::ThumbnailImage;
use onair::server::guests::GuestBudget;
use onair::studio::event::stats;
use onair::studio::snapshot::{GuestFigures, GuestPreview, GuestState};

/// Draws what the camera of a guest shows: a head before a wall of this color.
fn picture(wall: [u8; 3]) -> GuestPreview {
    let size = Size::new(160, 90);
    let pixel = |at: i32| {
        let (x, y) = (at % 160 - 80, at / 160 - 45);
        match () {
            () if x * x + (y + 8) * (y + 8) < 400 => [224, 186, 160],
            () if x * x / 2 + (y - 60) * (y - 60) < 1_600 => [52, 62, 84],
            () => wall,
        }
    };
    GuestPreview(Arc::new(ThumbnailImage { size, rgb: (0..160 * 90).flat_map(pixel).collect() }))
}

/// The guest with this number. On air, the guest has the first strip of the mixer.
fn guest(number: u32, name: &str, state: GuestState, wall: [u8; 3]) -> GuestFigures {
    let is_there = matches!(state, GuestState::Lobby | GuestState::OnAir);
    GuestFigures {
        id: format!("g{number}"),
        name: name.to_owned(),
        state,
        link: format!("https://192.168.1.20:8443/guest/{number:032}"),
        rtt: is_there.then(|| Duration::from_millis(45)),
        loss: is_there.then_some(0.004),
        strip: (state == GuestState::OnAir).then_some(StripId(1)),
        muted: false,
        hidden: false,
        tagged: true,
        preview: is_there.then(|| picture(wall)),
    }
}

/// What these guests cost.
pub fn traffic(is_lowered: bool) -> stats::Guests {
    let (bitrate, shape) = if is_lowered { (1_128_000, (360, 15)) } else { (3_128_000, (720, 30)) };
    let budget = GuestBudget { count: 2, bitrate, shape, is_lowered };
    stats::Guests { budget, received: u64::from(bitrate) * 8 / 10, sent: 5_040_000 }
}

/// Four guests, each in another state.
pub fn four() -> Vec<GuestFigures> {
    vec![
        guest(1, "Ada", GuestState::OnAir, [60, 84, 130]),
        guest(2, "Bo", GuestState::Lobby, [120, 96, 70]),
        guest(3, "Grace", GuestState::Away, [0, 0, 0]),
        guest(4, "", GuestState::Invited, [0, 0, 0]),
    ]
}
