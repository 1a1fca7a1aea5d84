use proptest::prelude::*;

use super::{Arguments, Dockerfile, Instruction, Keyword, Text};

fn read(text: &str) -> Dockerfile {
    let file = Dockerfile::parse(text);
    assert_eq!(file.problems, [], "{text}");
    file
}

fn only(text: &str) -> Instruction {
    let mut file = read(text);
    assert_eq!(file.instructions.len(), 1, "{text}: {file:?}");
    file.instructions.remove(0)
}

fn strings(words: &[Text]) -> Vec<&str> {
    words.iter().map(Text::as_str).collect()
}

fn words(instruction: &Instruction) -> Vec<&str> {
    match &instruction.arguments {
        Arguments::Words(words) | Arguments::Json(words) => strings(words),
        other => panic!("{other:?}"),
    }
}

fn pairs(instruction: &Instruction) -> Vec<(&str, Option<&str>)> {
    let Arguments::Pairs(pairs) = &instruction.arguments else { panic!("{instruction:?}") };
    pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_ref().map(Text::as_str))).collect()
}

#[test]
fn continued_lines_are_joined_and_map_back() {
    let text = "RUN curl \\\n  # why\n\n  https://x/amd64 && \\  \n  true\n";
    let run = only(text);
    assert_eq!(run.text.as_str(), "curl   https://x/amd64 &&   true");
    assert_eq!(run.lines, (1, 5));
    assert_eq!(&text[run.span.clone()], text.trim_end());
    let token = run.text.as_str().find("amd64").unwrap();
    assert_eq!(&text[run.text.in_file(token..token + 5)], "amd64");
    assert!(run.text.is_verbatim(token..token + 5));
    assert!(!run.text.is_verbatim(0..token));
    assert_eq!(&text[Dockerfile::parse(text).comments[0].clone()], "# why");
}

#[test]
fn a_word_can_be_broken_in_two() {
    let text = "FROM ubu\\\nntu:24.04 AS base";
    let from = only(text);
    assert_eq!(words(&from), ["ubuntu:24.04", "AS", "base"]);
    let Arguments::Words(words) = &from.arguments else { panic!() };
    assert_eq!(&text[words[0].span()], "ubu\\\nntu:24.04");
}

#[test]
fn the_escape_directive_changes_what_continues_a_line() {
    let text = "\u{feff}# escape=`\r\nFROM x\r\nRUN dir C:\\`\r\n && echo\r\n";
    let file = read(text);
    assert_eq!(file.directive("escape").unwrap().value, "`");
    assert_eq!(file.instructions[1].text.as_str(), "dir C:\\ && echo");
    assert_eq!(file.instructions[1].lines, (3, 4));
}

#[test]
fn directives_end_with_the_first_other_line() {
    let names = |text: &str| read(text).directives.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    assert_eq!(names("# syntax=docker/dockerfile:1\n#check = skip=all\nFROM x\n# escape=`\n"), ["syntax", "check"]);
    assert_eq!(names("# a comment\n# syntax=docker/dockerfile:1\nFROM x"), Vec::<String>::new());
    assert_eq!(names("\n# syntax=docker/dockerfile:1\nFROM x"), Vec::<String>::new());
}

#[test]
fn here_documents_are_found_where_buildkit_finds_them() {
    for (text, names) in [
        ("RUN <<EOF\na\nEOF", vec!["EOF"]),
        ("RUN cat <<EOF > /x && cat <<'B C' >> /x\na\nEOF\nb\nB C", vec!["EOF", "B C"]),
        ("RUN 3<<-\"EOF\" sh\n\ta\n\t\tEOF", vec!["EOF"]),
        ("RUN cat << EOF\nEOF", vec!["EOF"]),
        ("COPY <<a <<b /etc/\n1\na\n2\nb", vec!["a", "b"]),
        ("RUN cat <<<word", vec![]),
        ("RUN x=$((1<<3))", vec![]),
        ("RUN echo 'it <<EOF'", vec![]),
        ("RUN echo ${x^^} <<EOF", vec![]),
        ("CMD cat <<EOF", vec![]),
        ("RUN [\"cat\", \"<<EOF\"]", vec![]),
    ] {
        let run = only(text);
        assert_eq!(run.heredocs.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), names, "{text}");
        assert_eq!(run.span, 0..text.len(), "{text}");
    }
}

#[test]
fn a_shell_is_given_the_line_with_its_here_documents_or_the_document_alone() {
    let script = |text: &str| only(text).script().unwrap();
    assert_eq!(script("RUN <<-EOF\n\tmake\n\tEOF").as_str(), "make\n");
    assert_eq!(script("RUN cat <<EOF >x \\\n && y\nmake\nEOF\n").as_str(), "cat <<EOF >x  && y\nmake\nEOF");
    let text = "RUN set -e; cat <<'A' | \\\n# comment\n sh\ncurl x86_64\nA\n";
    let script = script(text);
    let place = script.as_str().find("x86_64").unwrap();
    assert_eq!(&text[script.in_file(place..place + 6)], "x86_64");
}

#[test]
fn an_unended_here_document_is_said_and_read_to_the_end() {
    let text = "FROM x\nRUN <<EOF\necho\nCMD y\n";
    let file = Dockerfile::parse(text);
    assert_eq!(file.problems.len(), 1);
    assert_eq!(&text[file.problems[0].span.clone()], "<<EOF");
    assert_eq!(file.instructions[1].heredocs[0].content.as_str(), "echo\nCMD y\n");
}

#[test]
fn json_is_read_with_its_places() {
    let text = r#"ENTRYPOINT [ "/a\u00e9\n", "b" ]"#;
    let entrypoint = only(text);
    assert_eq!(words(&entrypoint), ["/aé\n", "b"]);
    let Arguments::Json(words) = &entrypoint.arguments else { panic!() };
    assert_eq!(&text[words[0].span()], r"/a\u00e9\n");
    assert_eq!(&text[words[0].in_file(2..4)], r"\u00e9");
    assert!(only("ENTRYPOINT []").json().unwrap().is_empty());
    assert!(only("CMD [ -f x ] && y").json().is_none());
    assert_eq!(Dockerfile::parse("CMD [\"a\", 1]").problems.len(), 1);
}

#[test]
fn flags_are_split_off() {
    let text = r#"FROM --platform="linux/amd64" --x \
 alpine"#;
    let from = only(text);
    assert_eq!(words(&from), ["alpine"]);
    let platform = from.flag("platform").unwrap().value.as_ref().unwrap();
    assert_eq!(platform.as_str(), "linux/amd64");
    assert_eq!(&text[platform.in_file(6..11)], "amd64");
    assert!(from.flag("x").unwrap().value.is_none());
    assert_eq!(only("RUN -- --x").text.as_str(), "--x");
}

#[test]
fn assignments_keep_their_quotes() {
    assert_eq!(pairs(&only(r#"ENV a=1 b="x y"\ z c='\' "#)), [("a", Some("1")), ("b", Some(r#""x y"\ z"#)), ("c", Some("'\\'"))]);
    assert_eq!(pairs(&only("ENV  name  some value ")), [("name", Some("some value"))]);
    assert_eq!(pairs(&only("ARG TARGETARCH VERSION=1")), [("TARGETARCH", None), ("VERSION", Some("1"))]);
    assert_eq!(Dockerfile::parse("ENV a=1 b").problems.len(), 1);
    assert_eq!(Dockerfile::parse("ENV a").problems.len(), 1);
}

#[test]
fn triggers_are_instructions() {
    let text = "onbuild RUN <<EOF\nx\nEOF";
    let onbuild = only(text);
    let Arguments::Trigger(run) = &onbuild.arguments else { panic!() };
    assert_eq!((onbuild.keyword, run.keyword), (Keyword::Onbuild, Keyword::Run));
    assert_eq!(run.script().unwrap().as_str(), "x\n");
}

#[test]
fn what_is_no_instruction_is_said_and_the_rest_is_read() {
    let file = Dockerfile::parse("FROM x\nRUNN y\nCMD z\n");
    assert_eq!((file.problems.len(), file.problems[0].span.clone()), (1, 7..11));
    assert_eq!(file.instructions.len(), 3);
    assert_eq!(Dockerfile::parse("# nothing\n").problems.len(), 1);
}

/// Pieces that Dockerfiles are made of, so that random sequences of them reach every branch.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "FROM",
        "RUN",
        "ENV",
        "ONBUILD",
        "COPY",
        "CMD",
        "ARG",
        "HEALTHCHECK",
        " ",
        "\n",
        "\r\n",
        "\\\n",
        "\\",
        "#",
        "# escape=`\n",
        "`\n",
        "<<",
        "<<-",
        "EOF",
        "'",
        "\"",
        "$",
        "${",
        "}",
        ":-",
        "/",
        "[",
        "]",
        "\"a\"",
        ",",
        "\\u00e9",
        "\\ud83d\\ude00",
        "é",
        "\u{feff}",
        "=",
        "--",
        "--platform=",
        "\t",
        "x",
        "1",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Every text of an instruction lies in it, in order and at character boundaries, and its slices map like the whole.
fn holds(source: &str, text: &Text) {
    let mut before = text.span().start;
    for (place, character) in text.as_str().char_indices() {
        let range = place..place + character.len_utf8();
        let span = text.in_file(range.clone());
        assert!(span.start >= before && span.end >= span.start, "{source:?} {text:?}");
        assert!(source.get(span.clone()).is_some(), "{source:?} {text:?} {span:?}");
        before = span.start;
        let part = text.slice(range.clone());
        assert_eq!(part.as_str(), &text.as_str()[range.clone()], "{source:?}");
        if text.is_verbatim(range.clone()) {
            assert_eq!(&source[span.clone()], part.as_str(), "{source:?}");
            assert_eq!(part.span(), span, "{source:?}");
        }
    }
}

proptest! {
    #[test]
    fn every_place_is_one_of_the_file(source in pieces()) {
        let file = Dockerfile::parse(&source);
        let mut before = 0;
        for instruction in &file.instructions {
            prop_assert!(instruction.span.start >= before && instruction.span.end <= source.len());
            prop_assert!(source.get(instruction.span.clone()).is_some() && source.get(instruction.keyword_span.clone()).is_some());
            before = instruction.span.end;
            holds(&source, &instruction.text);
            instruction.script().iter().for_each(|script| holds(&source, script));
            instruction.flags.iter().for_each(|flag| assert!(source.get(flag.span.clone()).is_some()));
            match &instruction.arguments {
                Arguments::Json(words) | Arguments::Words(words) => words.iter().for_each(|word| holds(&source, word)),
                Arguments::Pairs(pairs) => pairs.iter().for_each(|pair| {
                    holds(&source, &pair.name);
                    pair.value.iter().for_each(|value| holds(&source, value));
                }),
                Arguments::Trigger(trigger) => holds(&source, &trigger.text),
                Arguments::Line => {}
            }
        }
        for span in file.comments.iter().chain(file.problems.iter().map(|problem| &problem.span)) {
            prop_assert!(source.get(span.clone()).is_some(), "{span:?}");
        }
    }

    #[test]
    fn any_text_is_read(source in ".{0,200}") {
        Dockerfile::parse(&source);
    }
}
