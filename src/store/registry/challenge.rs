//! What a registry asks for when it says 401 (RFC 9110, 11.6.1; Docker's `registry/spec/auth/token.md`).

use http_auth::parser::ChallengeParser;

/// A way to show who one is. Registries ask for one of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token from the server `realm`.
    Bearer {
        /// Where tokens are given.
        realm: String,
        /// For whom, in the token server's words.
        service: Option<String>,
        /// What for; the registry says it for the request at hand.
        scope: Option<String>,
    },
    /// User and password themselves.
    Basic,
}

/// The challenges of all `WWW-Authenticate` headers, the best first: a token is worth less to a thief than a password. Schemes that
/// are not known are passed over, and so is what comes after a syntax error.
pub(super) fn challenges<'a>(headers: impl Iterator<Item = &'a str>) -> Vec<Challenge> {
    let mut found: Vec<Challenge> =
        headers.flat_map(|header| ChallengeParser::new(header).map_while(Result::ok).filter_map(|c| known(&c))).collect();
    found.sort_by_key(|challenge| matches!(challenge, Challenge::Basic));
    found.dedup();
    found
}

fn known(challenge: &http_auth::ChallengeRef<'_>) -> Option<Challenge> {
    let parameter = |name: &str| {
        let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_unescaped()).filter(|value| !value.is_empty())
    };
    if challenge.scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if challenge.scheme.eq_ignore_ascii_case("bearer") {
        return Some(Challenge::Bearer { realm: parameter("realm")?, service: parameter("service"), scope: parameter("scope") });
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Challenge, challenges};

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.into(), service: service.map(Into::into), scope: scope.map(Into::into) }
    }

    #[test]
    fn docker_hub() {
        let header =
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#;
        let expected = bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:library/nginx:pull"));
        assert_eq!(challenges([header].into_iter()), [expected]);
    }

    #[test]
    fn all_headers_count_and_tokens_come_first() {
        let expected = [bearer("https://t/", None, None), Challenge::Basic];
        assert_eq!(challenges([r#"Basic realm="x""#, r#"bearer realm="https://t/""#].into_iter()), expected);
        assert_eq!(challenges([r#"Basic realm="x", Bearer realm="https://t/", Digest qop="auth""#].into_iter()), expected);
        assert_eq!(challenges([r#"Negotiate, Basic realm="a, \"b\"""#].into_iter()), [Challenge::Basic]);
    }

    #[test]
    fn a_scope_of_several_actions_is_one_value() {
        let header = r#"Bearer realm="https://t/",scope="repository:a:pull,push repository:b:pull""#;
        assert_eq!(
            challenges([header].into_iter()),
            [bearer("https://t/", None, Some("repository:a:pull,push repository:b:pull"))]
        );
    }

    #[test]
    fn without_a_realm_there_is_no_bearer() {
        for header in ["", "Bearer", r#"Bearer realm="""#, r#"Bearer service="x""#, "\"", "Bearer realm="] {
            assert_eq!(challenges([header].into_iter()), [], "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_borne(header in "\\PC{0,80}|(Basic|Bearer)[ ,=\"a-z\\\\]{0,40}") {
            let _ = challenges([header.as_str()].into_iter());
        }

        #[test]
        fn what_is_quoted_is_given_back(realm in "https://[a-z]{1,9}/[ -~&&[^\"\\\\]]{0,20}", scope in "[ -~&&[^\"\\\\]]{1,30}") {
            let header = format!(r#"Basic realm="x", Bearer realm="{realm}", scope="{scope}""#);
            let found = challenges([header.as_str()].into_iter());
            prop_assert_eq!(found.first(), Some(&bearer(&realm, None, Some(&scope))));
        }
    }
}
