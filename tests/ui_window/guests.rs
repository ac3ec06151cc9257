//! Tests of the guests' cards, and of the second canvas beside the program.

use super::*;
use onair::studio::command::{GuestCommand, ProgramCommand};

fn with_guests(layout: &str, size: Vec2) -> Harness<'static, Window> {
    let mut harness = panels::laid_out("guests", layout, size);
    harness.run();
    commands(&mut harness);
    harness
}

fn said(command: GuestCommand) -> Vec<Command> {
    vec![Command::Guest(command)]
}

#[test]
fn a_guest_is_admitted_muted_hidden_and_removed_beside_the_program() {
    let mut harness = with_guests("simple", panels::HD);
    harness.get_by_label("Ada: on air");
    harness.get_by_label("Video of Bo, which only you see");
    let id = || "g1".to_owned();
    assert_eq!(click(&mut harness, "Admit: Bo"), said(GuestCommand::Admit("g2".into())));
    assert_eq!(click(&mut harness, "Mute: Ada"), said(GuestCommand::Mute(id(), true)));
    assert_eq!(click(&mut harness, "Hide: Ada"), said(GuestCommand::Hide(id(), true)));
    assert_eq!(click(&mut harness, "Hide name: Ada"), said(GuestCommand::Tag(id(), false)));
    assert_eq!(click(&mut harness, "To the lobby: Ada"), said(GuestCommand::Dismiss(id())));
    assert_eq!(click(&mut harness, "Remove: Grace"), said(GuestCommand::Remove("g3".into())));
    // In the lobby, there is nothing to mute.
    assert!(harness.query_by_label("Mute: Bo").is_none());
    // Without guests, the bar is gone.
    harness.state().demo.change(|snapshot| snapshot.guests.clear());
    harness.run();
    assert!(harness.query_by_label("Ada: on air").is_none());
}

#[test]
fn the_fader_of_a_guest_is_that_of_the_mixer() {
    let mut harness = with_guests("simple", panels::HD);
    let name = "Gain of Ada";
    harness.get_by_label(name).focus();
    harness.run();
    harness.key_press(Key::ArrowLeft);
    let sent = commands(&mut harness);
    let [Command::SetStrip { id: StripId(1), before, strip }] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert!(strip.gain_db < before.gain_db, "{before:?} {strip:?}");
}

#[test]
fn every_card_is_whole_in_every_layout() {
    for size in [Vec2::new(960.0, 600.0), panels::HD, Vec2::new(3840.0, 2160.0)] {
        let room = egui::Rect::from_min_size(egui::Pos2::ZERO, size).expand(0.5);
        let harness = with_guests("simple", size);
        for name in ["Remove: Ada", "Remove: Bo", "Remove: Grace", "Remove: g4"] {
            let button = harness.get_by_label(name).rect();
            assert!(room.contains_rect(button), "{size:?} {name}: {button:?}");
        }
    }
    // The panel of the studio layout is behind the chat until somebody is invited.
    let mut harness = with_guests("studio", Vec2::new(1920.0, 1080.0));
    assert!(harness.query_by_label("Ada: on air").is_none());
    panels::command(&mut harness, "Invite a guest");
    harness.get_by_label("Ada: on air");
}

#[test]
fn the_second_canvas_is_beside_the_program() {
    let mut harness = open("on-air");
    assert!(harness.query_by_label("Picture of the second canvas").is_none());
    harness.state().demo.change(|snapshot| snapshot.canvas.enabled = true);
    let sent = commands(&mut harness);
    assert!(sent.contains(&Command::Programs(ProgramCommand::ShowCanvas(true))), "{sent:?}");
    harness.state().demo.change(|snapshot| snapshot.canvas_shown = true);
    harness.run();
    let second = harness.get_by_label("Picture of the second canvas").rect();
    let program = harness.get_by_role_and_label(Role::Image, "Program").rect();
    assert!(program.right() <= second.left() && second.height() > second.width());
    assert!((second.center().y - program.center().y).abs() < 20.0, "{second:?} {program:?}");
}
