//! A blob as it arrives, also over connections that break.

use std::io::{self, Read};
use std::ops::Range;

use super::endpoint::Endpoint;
use super::problem::Problem;
use super::retry::Failure;
use crate::base::Digest;
use crate::store::http::{Answer, Body, Fault};

/// So much progress pays for the failures before: a long download over a bad line ends, a server that gives a little each time does
/// not hold its reader for ever.
const PROGRESS: u64 = 8 << 20;

/// Reads a blob to its end. A connection that breaks is made again where it broke off: whoever hashes what is read goes on with
/// the hash that it has. More bytes than there should be are an error, and are not fetched.
pub(super) struct Blob<'a> {
    endpoint: &'a Endpoint<'a>,
    path: String,
    /// Where it ends; of a part, where the part does.
    size: Option<u64>,
    /// Whether it is asked for up to there only.
    is_part: bool,
    body: Body,
    /// Bytes given.
    at: u64,
    /// Bytes still to be passed over: a server that knows no ranges begins again.
    skip: u64,
    /// Failures since so much progress was made.
    failures: u32,
    /// Where `failures` were last forgotten.
    milestone: u64,
    /// Where the blob ended before its size.
    short: Option<u64>,
    /// Whether it really ends there.
    ended: bool,
}

impl<'a> Blob<'a> {
    /// Asks for the blob; `size` is the descriptor's.
    pub(super) fn open(endpoint: &'a Endpoint<'a>, digest: &Digest, size: Option<u64>) -> Result<Self, Problem> {
        let path = format!("blobs/{digest}");
        let answer = endpoint.get(&path, "*/*", 0, None)?;
        if let (Some(expected), Some(actual)) = (size, length(&answer))
            && actual > expected
        {
            return Err(Problem::Own(surplus(expected)));
        }
        Ok(Self::new(endpoint, path, size, answer.body))
    }

    /// Asks for a part of the blob; `None` where the registry gives no parts.
    pub(super) fn part(endpoint: &'a Endpoint<'a>, digest: &Digest, range: &Range<u64>) -> Result<Option<Self>, Problem> {
        let path = format!("blobs/{digest}");
        let answer = endpoint.get(&path, "*/*", range.start, Some(range.end))?;
        if starts_at(&answer) != Some(range.start) {
            return Ok(None);
        }
        let whole = Self::new(endpoint, path, Some(range.end), answer.body);
        Ok(Some(Self { is_part: true, at: range.start, milestone: range.start, ..whole }))
    }

    fn new(endpoint: &'a Endpoint<'a>, path: String, size: Option<u64>, body: Body) -> Self {
        Self { endpoint, path, size, is_part: false, body, at: 0, skip: 0, failures: 0, milestone: 0, short: None, ended: false }
    }

    /// The next bytes of the connection at hand.
    fn advance(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        while self.skip > 0 {
            let mut passed = [0; 8 << 10];
            let wanted = usize::try_from(self.skip).unwrap_or(usize::MAX).min(passed.len());
            match self.body.read(passed.get_mut(..wanted).unwrap_or_default()).map_err(Fault::of_read)? {
                0 => return Err(Fault::broken("the blob is shorter than it was")),
                count => self.skip = self.skip.saturating_sub(count as u64),
            }
        }
        self.body.read(buffer).map_err(Fault::of_read)
    }

    /// Makes the connection again; `Err` where that was tried often enough.
    fn resume(&mut self, fault: &Fault) -> Result<(), String> {
        if self.at.saturating_sub(self.milestone) >= PROGRESS {
            (self.failures, self.milestone) = (0, self.at);
        }
        self.failures = self.failures.saturating_add(1);
        let total = self.size.map(|size| format!(" of {size}")).unwrap_or_default();
        let place = format!("the download broke off after {}{total} bytes: {fault}", self.at);
        let (policy, host) = (self.endpoint.policy, &self.endpoint.route.host);
        let why = format!("{host}/{}: {place}", self.path);
        if !self.endpoint.line.wait(policy, self.failures, Failure::Fault(fault.kind), &why) {
            return Err(place);
        }
        let until = self.size.filter(|_| self.is_part);
        let answer = match self.endpoint.get(&self.path, "*/*", self.at, until) {
            Err(Problem::Status(refusal)) if refusal.status == 416 => {
                self.ended = true;
                return Ok(());
            }
            other => other.map_err(|problem| format!("{place}; then: {}", problem.brief()))?,
        };
        self.skip = if starts_at(&answer) == Some(self.at) { 0 } else { self.at };
        self.body = answer.body;
        Ok(())
    }
}

fn length(answer: &Answer) -> Option<u64> {
    answer.header("content-length")?.parse().ok()
}

/// The first byte that a partial answer has: `bytes 5-9/10` (RFC 9110, 14.4); `None` where the answer is the whole.
fn starts_at(answer: &Answer) -> Option<u64> {
    if answer.status != 206 {
        return None;
    }
    answer.header("content-range")?.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn surplus(size: u64) -> String {
    format!("the registry sends more than the {size} bytes that the manifest promises")
}

impl Read for Blob<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let is_short = self.size.is_some_and(|size| self.at < size);
            let fault = match self.advance(buffer) {
                // Cut, or really shorter than the manifest says: asking again tells.
                Ok(0) if is_short && !self.ended && !buffer.is_empty() => {
                    self.ended = self.short.replace(self.at) == Some(self.at);
                    Fault::broken("it ended early")
                }
                Ok(count) => {
                    self.at = self.at.saturating_add(count as u64);
                    return match self.size {
                        Some(size) if self.at > size => Err(io::Error::other(surplus(size))),
                        _ => Ok(count),
                    };
                }
                Err(fault) => fault,
            };
            if self.ended {
                return Ok(0);
            }
            self.resume(&fault).map_err(io::Error::other)?;
        }
    }
}
