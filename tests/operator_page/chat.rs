//! Moderation on the operator page: messages, mutes, slow mode and blocked words, as a viewer notices them.

use super::{TOKEN, click, shows, start};
use crate::peers;
use crate::peers::client::Client;
use crate::viewer_page::chromium::{Chromium, Page};
use onair::wire::chat::ChatLine;

/// Sends a chat message as a viewer, who joins first if necessary.
pub(super) fn say(page: &Page<'_>, name: &str, text: &str) {
    let line = serde_json::json!({ "name": name, "text": text }).to_string();
    page.value(&format!("window.viewer.send({line:?})"));
}

/// Returns a condition that holds if the viewer has received this text.
fn got(words: &str) -> String {
    format!("window.got.some(it => it.includes({words:?}))")
}

#[test]
fn the_operator_moderates_the_chat_of_a_stream() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start();
    let _publisher = Client::publish(&running.url("live/show"));
    let streamer = running.server.join_chat("live", "show").unwrap();
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#streams tr", "live/show"));
    page.value(
        "window.got = [];
        window.viewer = new WebSocket(`ws://${location.host}/live/show/chat`);
        viewer.onmessage = event => got.push(event.data);",
    );
    page.wait("window.viewer.readyState === 1");
    streamer.say(ChatLine::new("Kim", "good evening").unwrap());
    let markup = "<img src=x onerror=window.ran=1>";
    say(&page, markup, markup);
    say(&page, "eve", "buy this");
    page.wait(&got("buy this"));
    click(&page, "#streams [aria-label='Moderate the chat of live/show']");
    // Moderation needs the token, even on this computer.
    page.wait("document.getElementById('token').open");
    page.value(&format!("document.getElementById('token-input').value = '{TOKEN}'"));
    click(&page, "#token .primary");
    page.wait(&shows("#chat-lines", "good evening"));
    assert_eq!(page.value("document.getElementById('chat-stream').value"), "live/show");
    page.wait(&shows("#chat-lines tr:last-child", "Streamer"));
    page.wait(&shows("#chat-lines", markup));
    assert_eq!(page.value("window.ran ?? 0"), 0);

    let delete = "#chat-lines tr:first-child [aria-label='Delete the message from eve']";
    page.value(&format!("document.querySelector({delete:?}).focus()"));
    click(&page, delete);
    page.wait(&got("\"deleted\""));
    page.wait(&shows("#toast", "Message deleted."));
    page.wait(&format!("!({})", shows("#chat-lines", "buy this")));
    // The keyboard focus goes on to the next message.
    page.wait("document.activeElement.matches('#chat-lines tr:first-child')");
    page.value("document.getElementById('chat-words').value = 'spoiler'");
    page.value("document.getElementById('chat-words').oninput()");
    click(&page, "#chat-save");
    page.wait(&shows("#toast", "The chat was updated."));
    say(&page, "eve", "a Spoiler");
    page.wait(&got("\"refused\":\"blocked\""));
    click(&page, &format!("#chat-lines [aria-label='Mute {markup}']"));
    page.wait(&shows("#chat-muted", "eve"));
    page.wait(&shows("#toast", &format!("{markup} was muted.")));
    say(&page, "eve", "again");
    page.wait(&got("\"refused\":\"muted\""));
    click(&page, "#chat-muted button");
    page.wait("!document.getElementById('no-muted').hidden");
    page.wait(&shows("#toast", "was unmuted."));
    page.value("document.getElementById('chat-slow').value = '600'");
    click(&page, "#chat-save");
    page.wait(&got("{\"slow\":600}"));
    // At once, because the page shows the rules again when they have changed.
    let too_slow = "(slow => { slow.value = '601'; document.getElementById('chat-save').click(); \
        return slow.checkValidity(); })(document.getElementById('chat-slow'))";
    assert_eq!(page.value(too_slow), false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_chat_says_that_nobody_publishes_only_if_that_is_known() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start();
    let browser = Chromium::start("en");
    let url = format!("{}#chat", running.page());
    let page = browser.open(&url, "");
    let is_hidden = "document.getElementById('no-chat').hidden";
    page.wait(&format!("!{is_hidden}"));
    assert_eq!(page.text("no-chat"), "Nobody is publishing.");
    // The page gets the streams, but the chat needs the token.
    let _publisher = Client::publish(&running.url("live/show"));
    page.wait("document.getElementById('token').open");
    assert_eq!(page.value(is_hidden), true);
    assert_eq!(page.value("document.getElementById('chat-stream').value"), "live/show");
    // From another computer, the page gets nothing.
    let without_answers = "window.fetch = async () => new Response('{}', { status: 401 });";
    let page = browser.open(&url, without_answers);
    page.wait("document.getElementById('token').open");
    assert_eq!(page.value(is_hidden), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
