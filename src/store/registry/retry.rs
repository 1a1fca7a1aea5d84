//! Whether to try again, and when. Pure: the caller brings the failure and a random number, and does the waiting.

use crate::store::http::FaultKind;
use std::time::{Duration, SystemTime};

/// The first pause, doubled with every further one up to the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// A server that asks for a longer pause than this is not waited for: a person or a pipeline knows better what to do.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// Nobody listens: a registry that restarts is back soon, and a mistyped port never answers.
const REFUSALS: u32 = 2;

/// How often failures that may pass are tried again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    /// Tries after the first one.
    pub(super) retries: u32,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The registry's answer, and for how long it asks to be left alone.
    Status(u16, Option<Duration>),
    /// No answer.
    Fault(FaultKind),
}

impl Policy {
    /// How long to wait before the next try, after `tried` tries that failed (1 after the first); `None` to give up. `random` is
    /// any number: clients that failed together must not come back together.
    pub(super) fn pause(self, tried: u32, failure: Failure, random: u64) -> Option<Duration> {
        if tried > self.retries {
            return None;
        }
        let asked = match failure {
            // RFC 9110, 15.5.9 and 15.6; RFC 6585, 4. 500 is what registries say when their own storage fails.
            Failure::Status(408 | 425 | 429 | 500 | 502 | 503 | 504, asked) => asked,
            Failure::Status(..) => return None,
            Failure::Fault(FaultKind::Timeout | FaultKind::Broken) => None,
            Failure::Fault(FaultKind::Refused) if tried <= REFUSALS => None,
            Failure::Fault(_) => return None,
        };
        let backoff = FIRST.saturating_mul(1 << tried.saturating_sub(1).min(10)).min(LONGEST);
        // Between half of it and all of it.
        let half = backoff / 2;
        let jittered = half.saturating_add(half.saturating_mul(u32::try_from(random % 1024).unwrap_or(0)) / 1024);
        match asked {
            Some(asked) if asked > LONGEST_ASKED => None,
            // Never before the time that was asked for.
            Some(asked) => Some(asked.saturating_add(jittered / 4)),
            None => Some(jittered),
        }
    }
}

/// What Retry-After asks for: seconds or a date (RFC 9110, 10.2.3). Of nonsense, nothing.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;

    use super::{FIRST, Failure, LONGEST, LONGEST_ASKED, Policy, retry_after};
    use crate::store::http::FaultKind;

    const POLICY: Policy = Policy { retries: 5 };

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(POLICY.pause(1, Failure::Status(status, None), 7).is_some(), "{status}");
        }
        for status in [200, 301, 400, 401, 403, 404, 405, 416, 501] {
            assert_eq!(POLICY.pause(1, Failure::Status(status, None), 7), None, "{status}");
        }
        for kind in [FaultKind::Name, FaultKind::Certificate, FaultKind::Tls, FaultKind::Unusable] {
            assert_eq!(POLICY.pause(1, Failure::Fault(kind), 7), None);
        }
        assert!(POLICY.pause(2, Failure::Fault(FaultKind::Refused), 7).is_some());
        assert_eq!(POLICY.pause(3, Failure::Fault(FaultKind::Refused), 7), None);
    }

    #[test]
    fn a_server_that_asks_for_too_long_is_not_waited_for() {
        assert_eq!(POLICY.pause(1, Failure::Status(429, Some(Duration::from_secs(3600))), 0), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-5", now), None);
    }

    proptest! {
        #[test]
        fn pauses_are_bounded_and_end(retries in 0_u32..50, tried in 1_u32..100, random: u64, seconds in proptest::option::of(0_u64..200)) {
            let asked = seconds.map(Duration::from_secs);
            let pause = Policy { retries }.pause(tried, Failure::Status(503, asked), random);
            if let Some(pause) = pause {
                prop_assert!(tried <= retries);
                prop_assert!(pause >= asked.unwrap_or(FIRST / 2));
                prop_assert!(pause <= asked.unwrap_or_default() + LONGEST);
            } else {
                prop_assert!(tried > retries || asked.is_some_and(|asked| asked > LONGEST_ASKED));
            }
        }

        #[test]
        fn any_header_is_borne(value in "\\PC{0,40}") {
            let _ = retry_after(&value, SystemTime::now());
        }
    }
}
