//! `--ports`, `--proxy`, `--bind`, `--tls-ca` and `--tls-pin`: the connection options.

use std::num::NonZeroU16;
use std::path::PathBuf;

use crate::base::Secret;
use crate::cli::output::exit::Exit;
use crate::net::{Bind, Options, Proxy, Runtime, Trust};
use crate::studio::Route;
use crate::text::problem::{Problem, problem};

/// Flags for connections.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "route")]
pub struct Flags {
    /// Ports to try, in this order, if the URL has no port [default: 1935 for rtmp, 443 for rtmps
    /// and rtmpts, 80 for rtmpt]
    #[arg(long, value_name = "PORT,…", value_delimiter = ',', value_parser = port)]
    ports: Vec<NonZeroU16>,
    /// Proxy: `http://[USER:PASSWORD@]HOST:PORT` (CONNECT) or socks5://…; `none` turns the proxy
    /// off [default: the environment variable ALL_PROXY, except for hosts in NO_PROXY and this
    /// computer]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Local address for connections. On Linux, this can also be an interface
    #[arg(long, value_name = "ADDRESS|INTERFACE")]
    bind: Option<String>,
    #[command(flatten)]
    trust: TrustFlags,
}

/// Maximum number of ports to try.
const MAX_PORTS: usize = 8;

fn port(text: &str) -> Result<NonZeroU16, Problem> {
    text.trim().parse().map_err(|_| problem!("flag-ports"))
}

impl Flags {
    /// Returns the route as entered, for editing in the window.
    pub fn written(&self) -> (Route, String) {
        let ports: Vec<String> = self.ports.iter().map(ToString::to_string).collect();
        let route = Route {
            ports: ports.join(", "),
            // A missing flag means the default of all targets; an empty flag means no proxy.
            proxy: match self.proxy.as_deref() {
                Some("") => "none".into(),
                proxy => Secret::new(proxy.unwrap_or_default()),
            },
            bind: self.bind.clone().unwrap_or_default(),
        };
        (route, self.trust.ca_file())
    }

    /// Returns the window's defaults for values that [`written`](Self::written) does not set, so
    /// that emptying a field has the same effect as omitting its flag.
    ///
    /// # Errors
    /// Fails with the problem and the exit code.
    pub fn beneath(&self) -> Result<Options, (Problem, Exit)> {
        let environment = from_environment(|name| std::env::var(name).ok());
        // If a flag sets another proxy, a problem with the proxy from the environment does not
        // matter.
        let proxy = environment.and_then(Result::ok);
        let trust = Trust { ca_file: None, ..self.trust.read()? };
        Ok(Options { trust, proxy, ..Options::default() })
    }

    /// Starts the network with these options.
    ///
    /// # Errors
    /// Fails like [`read`](Self::read), and if the system provides no threads.
    pub fn start(&self) -> Result<(Options, Runtime), (Problem, Exit)> {
        let refused =
            |error| (problem!("cli-no-network", reason = Problem::from(&error)), Exit::Error);
        Ok((self.read()?, Runtime::start().map_err(refused)?))
    }

    /// Combines the flags with the environment.
    ///
    /// # Errors
    /// Fails with the problem and the exit code.
    pub fn read(&self) -> Result<Options, (Problem, Exit)> {
        if self.ports.len() > MAX_PORTS {
            let reason = problem!("route-too-many-ports", most = MAX_PORTS);
            return Err((problem!("cli-flag", flag = "--ports", reason = reason), Exit::Usage));
        }
        let proxy = match self.proxy.as_deref() {
            Some("none" | "") => None,
            Some(text) => Some(text.parse::<Proxy>().map_err(|why| ("--proxy".to_owned(), why))),
            None => from_environment(|name| std::env::var(name).ok()),
        };
        let proxy = proxy
            .transpose()
            .map_err(|(by, why)| (problem!("cli-flag", flag = by, reason = why), Exit::Usage))?;
        let bind = self.bind.as_deref().map(str::parse::<Bind>).transpose();
        let bind =
            bind.map_err(|why| (problem!("cli-flag", flag = "--bind", reason = why), Exit::Usage))?;
        Ok(Options {
            trust: self.trust.read()?,
            ports: self.ports.iter().map(|port| port.get()).collect(),
            proxy,
            bind,
            ..Options::default()
        })
    }
}

/// Returns the values of `ALL_PROXY` and `NO_PROXY`, in upper or lower case, as in curl.
/// (`HTTP_PROXY` and `HTTPS_PROXY` are for the web.)
fn from_environment(
    variable: impl Fn(&str) -> Option<String>,
) -> Option<Result<Proxy, (String, Problem)>> {
    let either = |one: &str, other: &str| {
        let set = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        set(one)
            .map(|text| (one.to_owned(), text))
            .or_else(|| Some((other.to_owned(), set(other)?)))
    };
    let (name, text) = either("all_proxy", "ALL_PROXY")?;
    let except = either("no_proxy", "NO_PROXY").map(|(_, text)| text).unwrap_or_default();
    let mut except: Vec<String> = except.split(',').map(|host| host.trim().to_owned()).collect();
    except.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    Some(text.parse::<Proxy>().map(|proxy| Proxy { except, ..proxy }).map_err(|why| (name, why)))
}

/// Flags for trusted certificates.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "trust")]
struct TrustFlags {
    /// Trust this certificate authority or server certificate (PEM) for TLS, in addition to those of
    /// the system. A server's own certificate is trusted like --tls-pin, whatever its names and dates
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Trust only the server certificate with this SHA-256 fingerprint (of the DER form, in hex)
    /// for TLS
    #[arg(long, value_name = "SHA256")]
    tls_pin: Option<String>,
}

impl TrustFlags {
    /// Returns the certificate file as the user entered it.
    fn ca_file(&self) -> String {
        self.tls_ca.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// Reads the options.
    ///
    /// # Errors
    /// Fails with the problem and the exit code.
    fn read(&self) -> Result<Trust, (Problem, Exit)> {
        if let Some(ca) = &self.tls_ca
            && let Err(reason) = Trust::check_file(ca)
        {
            let flag = format!("--tls-ca {}", ca.display());
            return Err((problem!("cli-flag", flag = flag, reason = reason), Exit::File));
        }
        let pin = self.tls_pin.as_ref().map(|pin| pin.parse()).transpose();
        let pin = pin.map_err(|why: Problem| {
            (problem!("cli-flag", flag = "--tls-pin", reason = why), Exit::Usage)
        })?;
        Ok(Trust { ca_file: self.tls_ca.clone(), pin, ..Trust::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::watch::choices::Network;

    #[derive(clap::Parser)]
    struct Given {
        #[command(flatten)]
        flags: Flags,
    }

    #[test]
    fn a_field_that_is_emptied_in_the_window_is_as_without_its_flag() {
        let read = |words: &[&str]| {
            let words = ["onair"].iter().chain(words);
            <Given as clap::Parser>::try_parse_from(words).unwrap().flags
        };
        let pin = format!("--tls-pin={}", "ab".repeat(32));
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, own.cert.pem()).unwrap();
        let file = format!("--tls-ca={}", file.display());
        let proxy = "--proxy=socks5://me:secret@proxy.example:9";
        let flags = read(&["--ports=443,1935", proxy, "--bind=127.0.0.1", &file, &pin]);
        let (route, ca_file) = flags.written();
        let network = Network { route, ca_file, ..Network::default() };
        let base = flags.beneath().unwrap();
        assert_eq!(network.options(&base), Ok(flags.read().unwrap()));
        let emptied = Network::default().options(&base).unwrap();
        assert_eq!(emptied, read(&[&pin]).read().unwrap());
        for proxy in ["--proxy=", "--proxy=none"] {
            let flags = read(&[proxy]);
            let network = Network { route: flags.written().0, ..Network::default() };
            assert_eq!(network.options(&flags.beneath().unwrap()).unwrap().proxy, None);
        }
    }

    #[test]
    fn a_file_without_certificates_is_not_trusted() {
        let tls_ca = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into());
        let refused = TrustFlags { tls_ca, tls_pin: None }.read().unwrap_err();
        assert_eq!(refused.1, Exit::File);
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let set = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        };
        assert!(from_environment(set(&[])).is_none());
        assert!(
            from_environment(set(&[("HTTPS_PROXY", "http://h:1"), ("ALL_PROXY", " ")])).is_none()
        );
        let pairs: &[_] = &[("ALL_PROXY", "socks5://h:9"), ("NO_PROXY", "a.example, b.example")];
        let proxy = from_environment(set(pairs)).unwrap().unwrap();
        assert_eq!(proxy.to_string(), "socks5://h:9");
        assert!(proxy.serves("c.example") && !proxy.serves("x.b.example"));
        assert!(!proxy.serves("localhost") && !proxy.serves("::1"));
        let bad = from_environment(set(&[("all_proxy", "ftp://u:secret@h")])).unwrap().unwrap_err();
        assert!(bad.0 == "all_proxy" && !bad.1.to_string().contains("secret"), "{bad:?}");
    }
}
