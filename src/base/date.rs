use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A day of the Gregorian calendar, in UTC; written as `2026-11-25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day: expected one such as 2027-01-31")]
pub struct DateError(String);

impl Date {
    /// The day of a moment; the first of 1970 for those before it, the last of 9999 for those after.
    pub fn of(moment: SystemTime) -> Self {
        let days = moment.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs() / 86_400;
        let (mut year, mut rest) = (1970, days);
        while rest >= days_of_year(year) && year < 9999 {
            rest = rest.saturating_sub(days_of_year(year));
            year = year.saturating_add(1);
        }
        let mut month = 1;
        while rest >= days_of_month(year, month) && month < 12 {
            rest = rest.saturating_sub(days_of_month(year, month));
            month = month.saturating_add(1);
        }
        let day = rest.min(30).saturating_add(1);
        Self { year, month, day: u8::try_from(day).unwrap_or(31) }
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_of_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u16, month: u8) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let error = || DateError(super::escape(text).to_string());
        let number = |part: &str, digits: usize| {
            let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse::<u16>().ok()).flatten()
        };
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next(), parts.next(), parts.next());
        let year = year.and_then(|year| number(year, 4)).ok_or_else(error)?;
        let month = month.and_then(|month| number(month, 2)).filter(|month| (1..=12).contains(month)).ok_or_else(error)?;
        let day = day.and_then(|day| number(day, 2)).filter(|day| *day >= 1).ok_or_else(error)?;
        let (month, day) = (u8::try_from(month).map_err(|_| error())?, u8::try_from(day).map_err(|_| error())?);
        if parts.next().is_some() || u64::from(day) > days_of_month(year, month) {
            return Err(error());
        }
        Ok(Self { year, month, day })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Date;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_counted_as_calendars_do() {
        // Seconds as `date -u -d DAY +%s` prints them.
        for (seconds, text) in
            [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_795_564_799, "2026-11-24"), (4_107_542_400, "2100-03-01")]
        {
            assert_eq!(Date::of(UNIX_EPOCH + Duration::from_secs(seconds)).to_string(), text);
        }
        assert_eq!(Date::of(UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX) * 1000)).to_string(), "9999-12-31");
    }

    #[test]
    fn only_days_are_days() {
        assert!(day("2026-11-25") < day("2026-12-01") && day("2026-12-31") < day("2027-01-01"));
        assert_eq!(day("2028-02-29").to_string(), "2028-02-29");
        for text in ["", "2027", "2027-1-1", "2027-02-29", "2027-13-01", "2027-00-01", "2027-01-00", "2027-01-01-", "+027-01-01"]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
