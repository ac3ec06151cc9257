//! Tests of copying the filters of a source or a strip, and pasting them into another.

use onair::mix::filter::Slot;

use super::building::{by_menu, make, with};
use super::sound::strip_set;
use super::*;

fn is_disabled(harness: &Harness<'static, Window>, role: Role, name: &str) -> bool {
    harness.get_by_role_and_label(role, name).accesskit_node().is_disabled()
}

#[test]
fn filters_of_a_source_are_pasted_after_those_of_another() {
    let mut harness = with(&["test", "clock"]);
    let slot = |kind| {
        let filter = video::Filter::of_kind(kind).unwrap();
        video::Slot { enabled: true, filter }
    };
    let (key, sharpen) = (slot("luma-key"), slot("sharpen"));
    let set = |id, slots: &[video::Slot]| Edit::SetFilters(SourceId(id), slots.to_vec());
    make(
        &mut harness,
        &[set(1, std::slice::from_ref(&key)), set(2, std::slice::from_ref(&sharpen))],
    );
    source(&harness, "Source 2").click_secondary();
    harness.run();
    let paste = harness.query_by_role_and_label(Role::MenuItemRadio, "Paste filters");
    assert!(paste.is_none(), "nothing is copied");
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(by_menu(&mut harness, "Source 1", "Copy filters"), []);
    harness.run();
    let sent = by_menu(&mut harness, "Source 2", "Paste filters");
    assert_eq!(sent, [Command::Edit(set(2, &[sharpen, key]))]);
}

#[test]
fn filters_of_a_strip_are_pasted_after_those_of_another() {
    let mut harness = open("mixer");
    let of = |kind: &str| Filter::ALL_KINDS.into_iter().find(|it| it.kind() == kind).unwrap();
    let slot = |filter| Slot { enabled: true, filter };
    let mut duck = of("compressor");
    let Filter::Compressor { side_chain, .. } = &mut duck else { panic!("not a compressor") };
    *side_chain = Some(StripId(1));
    harness.state().demo.change(|snapshot| {
        snapshot.strips[0].audio.strip.filters = vec![slot(duck), slot(of("gain"))];
        snapshot.strips[1].audio.strip.filters = vec![slot(of("limiter"))];
    });
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    assert!(is_disabled(&harness, Role::Button, "Paste filters"), "nothing is copied");
    harness.get_by_role_and_label(Role::Button, "Copy filters").click_accesskit();
    assert_eq!(commands(&mut harness), []);
    harness.get_by_role_and_label(Role::RadioButton, "Music").click();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Paste filters").click_accesskit();
    let sent = commands(&mut harness);
    let [Command::SetStrip { id: StripId(1), strip, .. }] = &sent[..] else { panic!("{sent:?}") };
    // The strip is not its own sidechain.
    assert_eq!(strip.filters, [of("limiter"), of("compressor"), of("gain")].map(slot));
}

#[test]
fn a_pasted_filter_keeps_the_sidechain_only_if_its_source_is_the_same() {
    let mut harness = open("mixer");
    let mut filter = Filter::of_kind("compressor").unwrap();
    let Filter::Compressor { side_chain, .. } = &mut filter else { panic!("not a compressor") };
    *side_chain = Some(StripId(2));
    harness.state().demo.change(|snapshot| {
        snapshot.strips[0].audio.strip.filters = vec![Slot { enabled: true, filter }];
        snapshot.strips[1].audio.strip.filters = Vec::new();
    });
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Copy filters").click_accesskit();
    assert_eq!(commands(&mut harness), []);
    harness.get_by_role_and_label(Role::RadioButton, "Music").click();
    harness.run();
    let same = harness.state().demo.snapshot().strips[2].audio.choice.clone();
    for (source, expected) in [(same, Some(StripId(2))), (AudioChoice::Tone, None)] {
        harness.state().demo.change(|snapshot| snapshot.strips[2].audio.choice = source);
        harness.run();
        harness.get_by_role_and_label(Role::Button, "Paste filters").click_accesskit();
        let (_, strip) = strip_set(&commands(&mut harness));
        assert_eq!(strip.filters.last().unwrap().filter.side_chain(), expected);
    }
}
