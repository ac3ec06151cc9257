//! Form requests in the format of nginx-rtmp (ngx_rtmp_notify_module, ngx_rtmp_netcall_module), with
//! the same order of fields and the same escapes. The client's own arguments come last, without those
//! that repeat field names.

use std::fmt::Write;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::form_urlencoded;

use crate::server::access::callback::exchange::{ReceiverAnswer, Verdict};
use crate::server::access::callback::visit::{Call, Visit};

/// The characters that nginx escapes in arguments (`NGX_ESCAPE_ARGS`).
const ESCAPED_CHARACTERS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b';').add(b'?');

/// Returns the body of a request.
pub(super) fn form(visit: &Visit, call: &Call) -> String {
    let mut form = String::new();
    let client = &visit.client;
    for (name, value) in [
        ("app", visit.app.as_str()),
        ("&flashver", &client.client_software),
        ("&swfurl", &client.swf_url),
        ("&tcurl", &client.tc_url),
        ("&pageurl", &client.page_url),
        ("&addr", &visit.address.to_string()),
    ] {
        add(&mut form, name, value);
    }
    if *call == Call::Connect {
        // The client's clock at the handshake. Nearly all clients send zero.
        form.push_str("&epoch=0&call=connect");
    } else {
        // The configuration has the same names, with a prefix.
        let name = call.kind().name().trim_start_matches("on_");
        let _ = write!(form, "&clientid={}&call={name}", visit.id);
    }
    if let Call::RecordDone { .. } = call {
        // Recorders have names in nginx-rtmp. This is the recorder without a name.
        form.push_str("&recorder=");
    }
    if *call != Call::Connect {
        add(&mut form, "&name", &visit.stream);
    }
    match call {
        Call::Publish { kind } => add(&mut form, "&type", kind),
        Call::Play { start, duration, reset } => {
            let reset = u8::from(*reset);
            let (start, duration) = (wrapped(*start), wrapped(*duration));
            let _ = write!(form, "&start={start}&duration={duration}&reset={reset}");
        }
        Call::RecordDone { path } => add(&mut form, "&path", path),
        Call::Connect | Call::PublishDone | Call::PlayDone => {}
    }
    let fields = form_urlencoded::parse(form.as_bytes());
    let fields: Vec<_> = fields.map(|(name, _)| name.into_owned()).collect();
    for argument in visit.query.split('&').filter(|it| !it.is_empty() && !repeats(it, &fields)) {
        form.push('&');
        form.push_str(argument);
    }
    form
}

/// Returns true if a receiver could take an argument of the client for one of the fields. Some receivers also split
/// arguments at semicolons. PHP ignores spaces before a name, and takes `name[]` for `name`. Other receivers
/// take `[name]` for `name`.
fn repeats(argument: &str, fields: &[String]) -> bool {
    let mut arguments = argument.split(';').flat_map(|it| form_urlencoded::parse(it.as_bytes()));
    arguments.any(|(name, _)| {
        let name = name.trim_start().trim_start_matches('[');
        let name = name.split(['[', ']', '\0']).next().unwrap_or_default();
        fields.iter().any(|field| field.eq_ignore_ascii_case(name))
    })
}

/// Converts a time to an unsigned 32-bit number, as nginx does even for negative times.
fn wrapped(time: f64) -> u32 {
    (time as i64) as u32
}

fn add(form: &mut String, name: &str, value: &str) {
    let _ = write!(form, "{name}={}", utf8_percent_encode(value, ESCAPED_CHARACTERS));
}

/// Returns the decision: 2xx accepts, and 3xx accepts under another name. Redirects to another
/// server, to pull or push the stream there, are refused.
pub(super) fn verdict(answer: &ReceiverAnswer) -> Verdict {
    match answer.status {
        200..=299 => Verdict::Accept,
        300..=399 => match &answer.location {
            None => Verdict::Accept,
            Some(to) if to.contains("://") => Verdict::Refuse,
            Some(name) => Verdict::Rename(name.clone()),
        },
        _ => Verdict::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::callback::exchange::samples::{answer, visit};

    const CLIENT_FIELDS: &str = "app=live&flashver=FMLE/3.0%20(compatible)&swfurl=\
                          &tcurl=rtmp://host:1935/live&pageurl=&addr=192.0.2.1";

    #[test]
    fn forms_are_those_of_nginx() {
        let play = Call::Play { start: -2_000.0, duration: 0.0, reset: true };
        for (call, rest) in [
            (Call::Connect, "&epoch=0&call=connect".to_owned()),
            (
                Call::Publish { kind: "live".to_owned() },
                "&clientid=7&call=publish&name=my%20show%26x&type=live".to_owned(),
            ),
            (
                play,
                format!(
                    "&clientid=7&call=play&name=my%20show%26x&start={}&duration=0&reset=1",
                    u32::MAX - 1_999
                ),
            ),
            (Call::PublishDone, "&clientid=7&call=publish_done&name=my%20show%26x".to_owned()),
            (
                Call::RecordDone { path: "/r/a b.flv".to_owned() },
                "&clientid=7&call=record_done&recorder=&name=my%20show%26x&path=/r/a%20b.flv"
                    .to_owned(),
            ),
        ] {
            let whole = format!("{CLIENT_FIELDS}{rest}&token=a.b&x=1");
            assert_eq!(form(&visit(), &call), whole, "{call:?}");
        }
    }

    #[test]
    fn arguments_of_the_client_replace_no_field() {
        let call = Call::Publish { kind: "live".to_owned() };
        let of = |query: &str| form(&Visit { query: query.to_owned(), ..visit() }, &call);
        let bare = of("");
        assert_eq!(of("name=x&addr=y&k=v&&na%6De=z&path=p"), format!("{bare}&k=v&path=p"));
        for repeated in
            ["app", "APP=x", "name[]=x", "[name]=x", "+name=x", "call%00=x", "a=b;name=x"]
        {
            assert_eq!(of(repeated), bare, "{repeated}");
        }
    }

    #[test]
    fn the_status_decides() {
        let of = |status, location: Option<&str>| {
            let location = location.map(str::to_owned);
            verdict(&ReceiverAnswer { location, ..answer(status, "") })
        };
        assert_eq!(of(204, None), Verdict::Accept);
        assert_eq!(of(302, Some("other")), Verdict::Rename("other".to_owned()));
        assert_eq!(of(302, None), Verdict::Accept);
        for refused in [of(302, Some("rtmp://192.0.2.9/live/x")), of(404, None), of(500, None)] {
            assert_eq!(refused, Verdict::Refuse);
        }
    }
}
