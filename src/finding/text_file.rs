use std::ops::Range;

use super::TextLocus;

/// How many bytes of a line may lie between two marks.
const SPACING: usize = 1024;

/// A text file in which places are pointed at. Its lines are counted once, so that each place is found in steps that do not grow with
/// the file.
#[derive(Debug, Clone)]
pub struct TextFile<'a> {
    /// As the user named it.
    pub name: &'a str,
    /// All of it.
    pub text: &'a str,
    /// The start of every line, and places inside of long ones; ascending.
    marks: Vec<Mark>,
}

/// A byte whose line and column are known; both count from 1.
#[derive(Debug, Clone, Copy)]
struct Mark {
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> TextFile<'a> {
    /// Counts the lines of `text`.
    pub fn new(name: &'a str, text: &'a str) -> Self {
        let mut marks = vec![Mark::START];
        let (mut here, mut marked) = (Mark::START, 0);
        for (offset, character) in text.char_indices() {
            here.offset = offset;
            if offset > 0 && here.column == 1 || offset.saturating_sub(marked) >= SPACING {
                marks.push(here);
                marked = offset;
            }
            here.pass(character);
        }
        Self { name, text, marks }
    }

    /// The place of these bytes.
    pub fn locus(&self, span: Range<usize>) -> TextLocus {
        let (start, end) = (self.position(span.start), self.position(span.end));
        TextLocus {
            file: self.name.to_owned(),
            text: self.text.get(span.clone()).unwrap_or_default().to_owned(),
            span,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }

    /// Line and column of a byte.
    fn position(&self, offset: usize) -> Mark {
        let behind = self.marks.partition_point(|mark| mark.offset <= offset);
        let mut mark = behind.checked_sub(1).and_then(|last| self.marks.get(last)).copied().unwrap_or(Mark::START);
        let between = self.text.get(mark.offset..offset).or_else(|| self.text.get(mark.offset..)).unwrap_or_default();
        between.chars().for_each(|character| mark.pass(character));
        mark
    }
}

impl Mark {
    const START: Self = Self { offset: 0, line: 1, column: 1 };

    fn pass(&mut self, character: char) {
        (self.line, self.column) = match character {
            '\n' => (self.line.saturating_add(1), 1),
            _ => (self.line, self.column.saturating_add(1)),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::TextFile;

    #[test]
    fn columns_count_characters_from_one() {
        let place = TextFile::new("Dockerfile", "FROM a\nRUN é x\n").locus(13..15);
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 6, 2, 8), "{place:?}");
        assert_eq!(place.text, " x");
    }

    proptest! {
        #[test]
        fn a_place_is_where_counting_from_the_start_of_the_file_comes_to(text in "([aé]{0,3}\n|[aé]{2000}){0,4}") {
            let file = TextFile::new("Dockerfile", &text);
            for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
                let place = file.locus(offset..offset);
                let before = &text[..offset];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
                prop_assert_eq!((place.line, place.column), (line, column));
            }
        }
    }
}
