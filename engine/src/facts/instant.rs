//! Instants: microseconds since 1970-01-01T00:00:00Z.

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Instant = i64;
/// Days since 1970-01-01 of the calendar date in the shop's time zone.
pub type Day = i32;
/// Money in minor units, and sums of it: exact, checked, never wrapped.
pub type Amount = i128;
/// Microseconds in a second.
pub const SECOND: Instant = 1_000_000;
/// Microseconds in a day of 24 hours.
pub const DAY: Instant = 86_400 * SECOND;
/// The first instant beyond what events may have: 2200-01-01T00:00:00Z (contract section 2).
pub const LATEST: Instant = 7_258_118_400 * SECOND;
/// Later than every instant.
pub const NEVER: Instant = 1 << 62;

/// Read an RFC 3339 time with an offset; digits beyond microseconds are cut off.
///
/// A leap second, `23:59:60` UTC at the end of a month, is the second after it: days have 86,400
/// here. None when it is no such time or lies outside 1970 to 2199 (in UTC).
pub fn parse_instant(text: &str) -> Option<Instant> {
    let t = text.as_bytes();
    // 2026-03-01T09:30:00 and at least Z after it
    if t.len() < 20 || !matches!(t[10], b'T' | b't') {
        return None;
    }
    if (t[4], t[7], t[13], t[16]) != (b'-', b'-', b':', b':') {
        return None;
    }
    let year = digits(&t[0..4])?;
    let (month, day) = (digits(&t[5..7])?, digits(&t[8..10])?);
    let (hour, minute, second) = (digits(&t[11..13])?, digits(&t[14..16])?, digits(&t[17..19])?);
    if !is_date(year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (micros, rest) = fraction(&t[19..])?;
    let seconds = (hour * 60 + minute) * 60 + second - offset(rest)?;
    let whole = days_of(year, month, day) * DAY + seconds * SECOND;
    if second == 60 && (whole % DAY != 0 || date_of(whole / DAY).2 != 1) {
        return None;
    }
    let instant = whole + micros;
    (0..LATEST).contains(&instant).then_some(instant)
}

/// Write an instant in UTC with `Z`; six digits of a second only where they are not zero.
pub fn format_instant(instant: Instant, out: &mut Vec<u8>) {
    let (year, month, day) = date_of(instant.div_euclid(DAY));
    let (second, micros) = {
        let rest = instant.rem_euclid(DAY);
        (rest / SECOND, rest % SECOND)
    };
    put(out, year, 4);
    put_after(out, b'-', month);
    put_after(out, b'-', day);
    put_after(out, b'T', second / 3600);
    put_after(out, b':', second / 60 % 60);
    put_after(out, b':', second % 60);
    if micros != 0 {
        out.push(b'.');
        put(out, micros, 6);
    }
    out.push(b'Z');
}

/// The days from 1970-01-01 to a date of the Gregorian calendar.
///
/// Years are taken to begin in March: then the leap day is a year's last, and the days before a
/// month follow one line, (153 m + 2) / 5. Eras of 400 years have 146,097 days.
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The year, month and day that lie so many days after 1970-01-01: `days_of` undone.
pub fn date_of(days: i64) -> (i64, i64, i64) {
    let (era, of_era) =
        ((days + 719_468).div_euclid(146_097), (days + 719_468).rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn is_date(year: i64, month: i64, day: i64) -> bool {
    let longest = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=longest).contains(&day)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter()
        .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// The microseconds of what may follow the second, and what is left.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    if text[0] != b'.' {
        return Some((0, text));
    }
    let length = text[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (found, rest) = text[1..].split_at(length);
    let kept = &found[..length.min(6)];
    let micros = digits(kept)? * 10_i64.pow(6 - kept.len() as u32);
    (length > 0).then_some((micros, rest))
}

/// The seconds by which local time is ahead of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
            let ahead = (hours * 60 + minutes) * 60;
            (hours <= 23 && minutes <= 59).then_some(if sign == b'-' { -ahead } else { ahead })
        }
        _ => None,
    }
}

fn put(out: &mut Vec<u8>, number: i64, width: u32) {
    for place in (0..width).rev() {
        out.push(b'0' + (number / 10_i64.pow(place) % 10).unsigned_abs() as u8);
    }
}

fn put_after(out: &mut Vec<u8>, mark: u8, number: i64) {
    out.push(mark);
    put(out, number, 2);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn formatted(instant: Instant) -> String {
        let mut out = Vec::new();
        format_instant(instant, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_time_with_an_offset_is_read_to_the_microsecond() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01t00:00:00z", 0),
            ("1970-01-01T00:00:00.1Z", 100_000),
            ("1970-01-01T00:00:00.0000019Z", 1),
            ("1970-01-01T00:00:00.123456789012345678901234567890Z", 123_456),
            ("1969-12-31T23:30:00-00:30", 0),
            ("1970-01-01T07:00:01+07:00", SECOND),
            ("2026-03-01T09:30:00Z", 1_772_357_400 * SECOND),
            ("2024-02-29T23:59:59Z", 1_709_251_199 * SECOND),
            ("2200-01-01T00:29:59.999999+00:30", LATEST - 1),
            ("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND),
            ("2017-01-01T05:29:60.25+05:30", 1_483_228_800 * SECOND + 250_000),
            ("1972-06-30T16:59:60-07:00", 78_796_800 * SECOND),
        ] {
            assert_eq!(parse_instant(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_or_outside_1970_to_2199_is_not_read() {
        for text in [
            "",
            "Z",
            "yesterday",
            "2026-03-01",
            "2026-03-01T09:30:00",
            "2026-03-01 09:30:00Z",
            "2026-03-01T09:30:00.Z",
            "2026-03-01T09:30:00,5Z",
            "2026-03-01T09:30:00Z ",
            "2026-03-01T09:30:00ZZ",
            "2026-03-01T09:30:00+0700",
            "2026-03-01T09:30:00+24:00",
            "2026-03-01T09:30:00+07:60",
            "2026-03-01T24:00:00Z",
            "2026-03-01T09:60:00Z",
            "2026-03-01T09:30:60Z",
            "2016-12-31T23:59:61Z",
            "2016-12-31T22:59:60Z",
            "2016-12-30T23:59:60Z",
            "2016-12-31T23:59:60+01:00",
            "2199-12-31T23:59:60Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999Z",
            "1970-01-01T00:00:00+00:01",
            "2200-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2026-03-01T09:30:00\u{e9}",
            "\u{ff12}026-03-01T09:30:00Z",
            "+026-03-01T09:30:00Z",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn digits_of_a_second_are_written_only_where_they_are_not_zero() {
        assert_eq!(formatted(0), "1970-01-01T00:00:00Z");
        assert_eq!(formatted(1), "1970-01-01T00:00:00.000001Z");
        assert_eq!(formatted(LATEST - SECOND), "2199-12-31T23:59:59Z");
        assert_eq!(formatted(-1), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn every_day_of_eight_hundred_years_has_the_date_after_the_one_before() {
        let mut expected = (1800, 1, 1);
        for day in days_of(1800, 1, 1)..days_of(2600, 1, 1) {
            assert_eq!(date_of(day), expected);
            assert_eq!(days_of(expected.0, expected.1, expected.2), day);
            let (year, month, of_month) = expected;
            expected = if is_date(year, month, of_month + 1) {
                (year, month, of_month + 1)
            } else if month < 12 {
                (year, month + 1, 1)
            } else {
                (year + 1, 1, 1)
            };
        }
        assert_eq!(days_of(1970, 1, 1), 0);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(instant in 0..LATEST) {
            prop_assert_eq!(parse_instant(&formatted(instant)), Some(instant));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", nearly in "[0-9Tt:.+\\-Zz]{18,34}") {
            let _ = (parse_instant(&text), parse_instant(&nearly));
        }
    }
}
