use super::TarError;
use super::sparse::Extent;

/// What the PAX records before a member say about it. Records that no file system needs are passed over.
#[derive(Default)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) sparse: Option<Sparse>,
    /// GNU's own record of a sparse file's name; the header then has a made-up one.
    pub(super) sparse_name: Option<Vec<u8>>,
}

/// GNU's records of a sparse file (GNU tar's manual, "Storing Sparse Files"), formats 0.0, 0.1 and 1.0.
#[derive(Default)]
pub(super) struct Sparse {
    /// The size that a reader sees.
    pub(super) size: Option<u64>,
    /// The stored pieces, in format 0.0 and 0.1.
    pub(super) map: Vec<Extent>,
    /// Format 1.0: the map is at the head of the body.
    pub(super) map_in_body: bool,
    /// Format 0.0 spreads each extent over two records.
    offset: Option<u64>,
}

impl Records {
    /// Parses `length key=value\n` until the end.
    pub(super) fn parse(mut bytes: &[u8], offset: u64) -> Result<Self, TarError> {
        let bad = |field| TarError::Field { field, offset };
        let mut records = Self::default();
        while !bytes.is_empty() {
            let (key, value, rest) = split_record(bytes).ok_or_else(|| bad("PAX record"))?;
            records.apply(key, value).map_err(bad)?;
            bytes = rest;
        }
        Ok(records)
    }

    fn apply(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        let Ok(key) = str::from_utf8(key) else { return Ok(()) };
        let name = |field: &'static str| if value.contains(&0) { Err(field) } else { Ok(Some(value.to_vec())) };
        match key {
            // An empty value takes back an earlier record.
            "path" if value.is_empty() => self.path = None,
            "linkpath" if value.is_empty() => self.link = None,
            "size" | "uid" | "gid" if value.is_empty() => {}
            "path" => self.path = name("PAX path")?,
            "linkpath" => self.link = name("PAX linkpath")?,
            "size" => self.size = Some(decimal(value).ok_or("PAX size")?),
            "uid" => self.uid = Some(decimal(value).map(saturate).ok_or("PAX uid")?),
            "gid" => self.gid = Some(decimal(value).map(saturate).ok_or("PAX gid")?),
            "GNU.sparse.name" => self.sparse_name = name("GNU.sparse.name")?,
            _ => {
                if let Some(key) = key.strip_prefix("GNU.sparse.") {
                    self.sparse.get_or_insert_default().apply(key, value).ok_or("sparse map")?;
                }
            }
        }
        Ok(())
    }
}

impl Sparse {
    fn apply(&mut self, key: &str, value: &[u8]) -> Option<()> {
        match key {
            "major" => self.map_in_body = decimal(value)? == 1,
            "size" | "realsize" => self.size = Some(decimal(value)?),
            "offset" => self.offset = Some(decimal(value)?),
            "numbytes" => self.map.push(Extent { offset: self.offset.take()?, length: decimal(value)? }),
            "map" => {
                let numbers: Vec<u64> = value.split(|byte| *byte == b',').map(decimal).collect::<Option<_>>()?;
                self.map = Extent::pairs(&numbers)?;
            }
            _ => {}
        }
        Some(())
    }
}

/// The first record's key and value, and what follows it. The length counts itself and the line feed.
fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let pair = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = pair.split_at_checked(equals)?;
    Some((key, value.strip_prefix(b"=")?, rest))
}

/// A number in decimal digits only.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

fn saturate(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::Records;

    #[test]
    fn a_value_may_hold_line_feeds_and_equals_signs() {
        let records = Records::parse(b"14 path=a\nb=c\n13 size=1234\n", 0).unwrap();
        assert_eq!((records.path.unwrap(), records.size), (b"a\nb=c".to_vec(), Some(1234)));
    }

    #[test]
    fn broken_records_are_refused() {
        for bad in [
            "12 path",
            "99 path=a\n",
            "8 path=a\n",
            "0 \n",
            " path=a\n",
            "10 path=a\n\n",
            "11 size=-1\n",
            "10 uid=1x\n",
            "10 path=\0\n",
        ] {
            assert!(Records::parse(bad.as_bytes(), 0).is_err(), "{bad}");
        }
    }
}
