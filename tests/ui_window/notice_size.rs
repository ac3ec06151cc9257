//! Test of the longest notice about a target, in the smallest window.

use super::*;
use onair::text::Problem;
use onair::ui::text::{Language as Spoken, Texts};

/// The longest notices that tests/planted.rs has produced must be completely visible, without
/// scrolling.
#[test]
fn the_longest_notice_of_a_target_is_seen_whole_in_the_smallest_window() {
    let cause = "while connecting to the application: not authorized; the server says \
                 NetConnection.Connect.Rejected: [ AccessManager.Reject ] : [ authmod=adobe ] : \
                 ?reason=authfailed&user=somebody";
    let own = "For your own server, trust the certificate with --tls-ca or --tls-pin. Otherwise do \
               not send your key there. The pin is \
               467d7416b99e3a1eefba3a84afb08e92bf86670816f2c0eb20dd0b0a04b736a0.";
    let issuer = "onair rejects the server's certificate: the certificate is self-signed, or \
                  this computer does not trust its issuer (issuer)";
    let login = "Check the user name and password (rtmp://user:password@server/app), or the URL.";
    for (key, cause, advice) in
        [("target-refused", cause, login), ("target-certificate", issuer, own)]
    {
        for (language, spoken) in
            [(Language::English, Spoken::English), (Language::Chinese, Spoken::Chinese)]
        {
            let size = Vec2::from(onair::ui::style::theme::size::MIN_WINDOW_SIZE);
            let mut harness = open_as("idle", size, preferences(language, Theme::Dark));
            let message = onair::studio::notices::message::StudioMessage::Target {
                key,
                id: 0,
                pin: None,
                host: "My channel (live-upload-eu1.example.com:443)".into(),
                cause: Problem::from(cause).with_cure(advice.into()),
                next: onair::studio::notices::Next::GivenUp,
            };
            let notice = message.notice(1, "");
            let texts = Texts::new(spoken);
            let (title, advice) = onair::ui::notices::words(&texts, &notice);
            harness.state().demo.change(|snapshot| snapshot.notices = vec![notice]);
            harness.run();
            harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
            harness.run();
            harness.run();
            let copy = harness.get_by_label(&texts.get("copy-diagnostics")).rect();
            assert!(copy.bottom() <= size.y, "{copy:?}");
            for words in [&title, &advice] {
                let found: Vec<_> = harness.query_all_by_label(words).collect();
                assert!(!found.is_empty(), "{words} is not shown");
                for node in found {
                    let place = node.rect();
                    assert!(place.bottom() <= copy.top(), "{place:?} {copy:?}: {words}");
                }
            }
        }
    }
}

/// After a broadcast has ended, the cause is only in the sentence.
#[test]
fn the_health_bar_shows_the_whole_sentence_of_a_refused_target() {
    let mut harness = open("idle");
    let message = onair::studio::notices::message::StudioMessage::Target {
        key: "target-refused",
        id: 0,
        pin: None,
        host: "My channel (live.example.com:1935)".into(),
        cause: "while publishing: the server refuses the stream key and says that the channel is \
                blocked until tomorrow"
            .into(),
        next: onair::studio::notices::Next::GivenUp,
    };
    let notice = message.notice(1, "");
    let (sentence, _) = onair::ui::notices::words(&Texts::new(Spoken::English), &notice);
    harness.state().demo.change(|snapshot| snapshot.notices = vec![notice]);
    harness.run();
    let shapes = &harness.output().shapes;
    let is_whole = shapes.iter().any(|it| super::watch::laid(&it.shape, &sentence));
    assert!(is_whole, "{sentence} is cut off");
}
