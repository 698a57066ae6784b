//! An external sort: what does not fit is sorted in chunks, put into temporary files, and merged as it is read. Knows only instants and
//! bytes, and keeps the order of what came in for equal instants. Never holds more than [`CHUNK_BYTES`] and [`FILES`] read buffers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// What is held in memory before it is spilled: some 300,000 events, a year of 300 checks with some to spare.
pub(super) const CHUNK_BYTES: usize = 16 << 20;
/// So many files are open at once at most; with one more they become one.
const FILES: usize = 32;
/// What one read of a file brings.
const BUFFER_BYTES: usize = 64 << 10;
/// A record in a file: its instant (8), its rank (1), the length of its body (4), its body.
const HEAD_BYTES: usize = 13;

/// By time, and of one instant by rank.
pub(super) type Key = (i64, u8);

/// Takes records in any order.
pub(super) struct Sorter {
    chunk: Chunk,
    files: Vec<File>,
    most: usize,
}

/// Gives them back in order.
pub(super) enum Sorted {
    /// All fitted.
    Memory(Chunk, usize),
    Files(Merge),
}

#[derive(Default)]
pub(super) struct Chunk {
    bodies: Vec<u8>,
    places: Vec<Place>,
}

/// Where a body stands; a chunk is far shorter than four gigabytes.
struct Place {
    key: Key,
    begin: u32,
    length: u32,
}

impl Sorter {
    /// `most`: bytes in memory, as [`CHUNK_BYTES`].
    pub(super) fn new(most: usize) -> Self {
        Self { chunk: Chunk::default(), files: Vec::new(), most }
    }

    pub(super) fn push(&mut self, key: Key, body: &[u8]) -> io::Result<()> {
        let Chunk { bodies, places } = &mut self.chunk;
        let small = |number: usize| u32::try_from(number).map_err(io::Error::other);
        places.push(Place { key, begin: small(bodies.len())?, length: small(body.len())? });
        bodies.extend_from_slice(body);
        if bodies.len() + places.len() * size_of::<Place>() >= self.most {
            self.spill()?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        if self.files.is_empty() {
            self.chunk.sort();
            return Ok(Sorted::Memory(self.chunk, 0));
        }
        if !self.chunk.places.is_empty() {
            self.spill()?;
        }
        // The chunk's memory is given back before the first is read.
        self.chunk = Chunk::default();
        Ok(Sorted::Files(Merge::new(self.files)?))
    }

    fn spill(&mut self) -> io::Result<()> {
        self.chunk.sort();
        let mut file = Spill::new()?;
        for place in &self.chunk.places {
            file.write(place.key, self.chunk.body(place))?;
        }
        self.files.push(file.finish()?);
        self.chunk.bodies.clear();
        self.chunk.places.clear();
        if self.files.len() == FILES {
            let mut all = Spill::new()?;
            let mut merge = Merge::new(std::mem::take(&mut self.files))?;
            while let Some((key, body)) = merge.next()? {
                all.write(key, body)?;
            }
            // It holds what came first, and so stands first.
            self.files.push(all.finish()?);
        }
        Ok(())
    }
}

impl Sorted {
    /// The next record; its body is valid until the one after it.
    pub(super) fn next(&mut self) -> io::Result<Option<(Key, &[u8])>> {
        match self {
            Self::Memory(chunk, next) => {
                let place = chunk.places.get(*next);
                *next += 1;
                Ok(place.map(|place| (place.key, chunk.body(place))))
            }
            Self::Files(merge) => merge.next(),
        }
    }
}

impl Chunk {
    /// Stable.
    fn sort(&mut self) {
        self.places.sort_by_key(|place| place.key);
    }

    fn body(&self, place: &Place) -> &[u8] {
        let begin = place.begin as usize;
        &self.bodies[begin..begin + place.length as usize]
    }
}

/// A temporary file without a name: it is gone when it is closed, however the process ends.
struct Spill(BufWriter<File>);

impl Spill {
    fn new() -> io::Result<Self> {
        Ok(Self(BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile()?)))
    }

    fn write(&mut self, (at, rank): Key, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        self.0.write_all(&at.to_le_bytes())?;
        self.0.write_all(&[rank])?;
        self.0.write_all(&length.to_le_bytes())?;
        self.0.write_all(body)
    }

    fn finish(self) -> io::Result<File> {
        let mut file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}

/// Several files, each in order, as one.
pub(super) struct Merge {
    files: Vec<Head>,
    /// The heads by key; of equal ones the file that was written first.
    next: BinaryHeap<Reverse<(Key, usize)>>,
    /// The file whose head was handed out last.
    taken: Option<usize>,
}

/// A file with the record that stands at its front.
struct Head {
    rest: BufReader<File>,
    body: Vec<u8>,
}

impl Merge {
    fn new(files: Vec<File>) -> io::Result<Self> {
        let head = |file| Head { rest: BufReader::with_capacity(BUFFER_BYTES, file), body: Vec::new() };
        let mut merge = Self { files: files.into_iter().map(head).collect(), next: BinaryHeap::new(), taken: None };
        for at in 0..merge.files.len() {
            merge.advance(at)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, at: usize) -> io::Result<()> {
        if let Some(key) = self.files[at].advance()? {
            self.next.push(Reverse((key, at)));
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<(Key, &[u8])>> {
        if let Some(taken) = self.taken.take() {
            self.advance(taken)?;
        }
        let Some(Reverse((key, at))) = self.next.pop() else { return Ok(None) };
        self.taken = Some(at);
        Ok(Some((key, &self.files[at].body)))
    }
}

impl Head {
    fn advance(&mut self) -> io::Result<Option<Key>> {
        if self.rest.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut head = [0; HEAD_BYTES];
        self.rest.read_exact(&mut head)?;
        let [a, b, c, d, e, f, g, h, rank, l0, l1, l2, l3] = head;
        self.body.resize(u32::from_le_bytes([l0, l1, l2, l3]) as usize, 0);
        self.rest.read_exact(&mut self.body)?;
        Ok(Some((i64::from_le_bytes([a, b, c, d, e, f, g, h]), rank)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(records: &[(Key, String)], most: usize) -> (Vec<(Key, String)>, bool) {
        let mut sorter = Sorter::new(most);
        for (key, body) in records {
            sorter.push(*key, body.as_bytes()).unwrap();
            assert!(sorter.files.len() < FILES);
        }
        let mut sorted = sorter.finish().unwrap();
        let mut all = Vec::new();
        while let Some((key, body)) = sorted.next().unwrap() {
            all.push((key, String::from_utf8(body.to_vec()).unwrap()));
        }
        (all, matches!(sorted, Sorted::Files(_)))
    }

    /// Few instants, so that most are equal to many others; bodies of all lengths, none among them.
    fn records(count: u64) -> Vec<(Key, String)> {
        let number = |n: u64| n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29) % 97;
        (0..count).map(|n| ((number(n) as i64 - 40, (n % 3) as u8), "x".repeat((n % 17) as usize) + &n.to_string())).collect()
    }

    #[test]
    fn spilled_or_not_the_order_is_that_of_a_stable_sort() {
        let records = records(5_000);
        let mut expected = records.clone();
        expected.sort_by_key(|(key, _)| *key);
        // All in memory; a dozen files; so many that files are merged into one several times; every record a file of its own.
        for (most, spills) in [(CHUNK_BYTES, false), (20_000, true), (2_000, true), (1, true)] {
            let (all, spilled) = sorted(&records, most);
            assert_eq!(spilled, spills, "{most}");
            assert!(all == expected, "another order with {most} bytes");
        }
    }

    #[test]
    fn nothing_is_nothing_and_a_body_may_be_empty() {
        assert_eq!(sorted(&[], 1), (vec![], false));
        let one = [((i64::MIN, 0), String::new()), ((i64::MAX, 255), String::new())];
        assert_eq!(sorted(&one, 1), (one.to_vec(), true));
    }
}
