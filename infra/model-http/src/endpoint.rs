//! A provider's base URL: what is accepted, where its paths are, and who may listen on the way.

use crate::{Dialect, SetupError};
use std::net::IpAddr;
use url::{Host, Url};

#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Ends with the version (`/v1`) and without a slash.
    base: String,
    url: Url,
}

impl Endpoint {
    /// # Errors
    /// `BaseUrl`: no URL, another scheme than http and https, or with something that belongs elsewhere (a password, a query).
    pub fn parse(dialect: Dialect, base_url: &str) -> Result<Self, SetupError> {
        let url =
            Url::parse(base_url.trim()).map_err(|error| refuse(&format!("is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(refuse("must begin with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "must not hold a name or password; keys have a setting of their own",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("must not have a query (“?…”) or a fragment (“#…”)"));
        }
        let mut base = url.as_str().trim_end_matches('/').to_owned();
        // Anthropic's base URLs are written without the version, OpenAI's with it; both are taken both ways.
        let bare = match dialect {
            Dialect::Anthropic => !base.ends_with("/v1"),
            Dialect::OpenAi => url.path().trim_matches('/').is_empty(),
        };
        if bare {
            base.push_str("/v1");
        }
        Ok(Self { base, url })
    }

    /// `path` without a slash at its beginning.
    pub fn join(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// The same server without the version, for what is not part of the versioned API.
    pub fn beside(&self, path: &str) -> String {
        format!("{}/{path}", self.base.trim_end_matches("/v1"))
    }

    /// OpenAI itself, whose newer models refuse the `max_tokens` that everybody else understands.
    pub fn is_openai(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        host == "api.openai.com"
            || host.ends_with(".api.openai.com")
            || host.ends_with(".openai.azure.com")
    }

    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }

    /// See [`crate::HttpModel::is_exposed`]. A name without a dot is taken for one of the local network.
    pub fn is_exposed(&self) -> bool {
        if self.is_https() || self.is_loopback() {
            return false;
        }
        match self.url.host() {
            Some(Host::Domain(name)) => {
                name.contains('.') && !name.ends_with(".local") && !name.ends_with(".internal")
            }
            Some(Host::Ipv4(ip)) => !is_private(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => !is_private(IpAddr::V6(ip)),
            None => true,
        }
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

fn refuse(why: &str) -> SetupError {
    SetupError::BaseUrl(why.to_owned())
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(dialect: Dialect, url: &str) -> Endpoint {
        Endpoint::parse(dialect, url).unwrap()
    }

    #[test]
    fn the_version_may_be_left_out() {
        for url in [
            "https://api.anthropic.com",
            "https://api.anthropic.com/",
            "https://api.anthropic.com/v1/",
        ] {
            let endpoint = parse(Dialect::Anthropic, url);
            assert_eq!(
                endpoint.join("messages"),
                "https://api.anthropic.com/v1/messages"
            );
        }
        let proxy = parse(Dialect::Anthropic, "https://gateway.example/anthropic");
        assert_eq!(
            proxy.join("messages"),
            "https://gateway.example/anthropic/v1/messages"
        );
        for url in ["http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"] {
            let endpoint = parse(Dialect::OpenAi, url);
            assert_eq!(endpoint.join("models"), "http://127.0.0.1:11434/v1/models");
            assert_eq!(
                endpoint.beside("api/tags"),
                "http://127.0.0.1:11434/api/tags"
            );
        }
        let router = parse(Dialect::OpenAi, "https://openrouter.ai/api/v1");
        assert_eq!(router.join("models"), "https://openrouter.ai/api/v1/models");
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for url in [
            "",
            "api.openai.com",
            "ftp://x",
            "file:///etc/passwd",
            "https://me:secret@x",
            "https://x/?key=secret",
        ] {
            let error = Endpoint::parse(Dialect::OpenAi, url).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn who_may_listen_is_known() {
        for url in [
            "https://x.example",
            "http://localhost:1",
            "http://127.0.0.1",
            "http://[::1]:2",
            "http://192.168.1.9",
            "http://box:11434",
        ] {
            assert!(!parse(Dialect::OpenAi, url).is_exposed(), "{url}");
        }
        for url in ["http://x.example", "http://8.8.8.8/v1"] {
            assert!(parse(Dialect::OpenAi, url).is_exposed(), "{url}");
        }
        assert!(parse(Dialect::OpenAi, "https://api.openai.com/v1").is_openai());
        assert!(!parse(Dialect::OpenAi, "https://api.openai.com.evil.example/v1").is_openai());
    }
}
