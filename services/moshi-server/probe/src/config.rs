//! Reads the two things that the probe needs from a config that the server has accepted: the keys that may connect and
//! the types of the modules. Takes all of TOML's syntax for keys, tables and strings; numbers and dates are skipped
//! over, not checked.

use std::fs;
use std::path::Path;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// As they are in the file: the server expands no `$VAR` in them.
    pub keys: Vec<String>,
    pub module_types: Vec<String>,
}

pub fn read(path: &Path) -> Result<Config, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text).map_err(|message| format!("{}: {message}", path.display()))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    List(Vec<Value>),
    Table(Vec<(Vec<String>, Value)>),
    Other,
}

fn parse(text: &str) -> Result<Config, String> {
    let mut reader = Reader { rest: text };
    let entries = reader.document().map_err(|message| {
        let line = text[..text.len() - reader.rest.len()].matches('\n').count() + 1;
        format!("line {line}: {message}")
    })?;
    let mut config = Config::default();
    for (path, value) in flatten(entries) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (path.as_slice(), value) {
            (["authorized_ids"], Value::List(keys)) => {
                config.keys = keys
                    .into_iter()
                    .filter_map(|key| match key {
                        Value::Text(key) => Some(key),
                        _ => None,
                    })
                    .collect();
            }
            (["modules", _, "type"], Value::Text(name)) => config.module_types.push(name),
            _ => {}
        }
    }
    Ok(config)
}

/// Inline tables dissolved into dotted paths.
fn flatten(entries: Vec<(Vec<String>, Value)>) -> Vec<(Vec<String>, Value)> {
    let mut flat = Vec::new();
    for (path, value) in entries {
        match value {
            Value::Table(inner) => {
                let inner = inner.into_iter().map(|(key, value)| ([path.clone(), key].concat(), value)).collect();
                flat.extend(flatten(inner));
            }
            value => flat.push((path, value)),
        }
    }
    flat
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Vec<(Vec<String>, Value)>, String> {
        let mut entries = Vec::new();
        let mut table = Vec::new();
        loop {
            self.skip_blank();
            if self.rest.is_empty() {
                return Ok(entries);
            }
            if self.take("[") {
                let close = if self.take("[") { "]]" } else { "]" };
                table = self.key()?;
                self.expect(close)?;
            } else {
                let (key, value) = self.entry()?;
                entries.push(([table.clone(), key].concat(), value));
            }
            self.skip_spaces();
            self.skip_comment();
            if !self.rest.is_empty() && !self.rest.starts_with(['\n', '\r']) {
                return Err("expected the end of the line".to_string());
            }
        }
    }

    fn entry(&mut self) -> Result<(Vec<String>, Value), String> {
        let key = self.key()?;
        self.expect("=")?;
        self.skip_spaces();
        Ok((key, self.value()?))
    }

    /// `a."b c".d`
    fn key(&mut self) -> Result<Vec<String>, String> {
        let mut parts = Vec::new();
        loop {
            self.skip_spaces();
            parts.push(match self.rest.chars().next() {
                Some('"' | '\'') => self.text()?,
                _ => self.word(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-', "a key")?,
            });
            self.skip_spaces();
            if !self.take(".") {
                return Ok(parts);
            }
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.rest.chars().next() {
            Some('"' | '\'') => Ok(Value::Text(self.text()?)),
            Some('[') => {
                self.expect("[")?;
                let mut list = Vec::new();
                self.skip_blank();
                while !self.take("]") {
                    list.push(self.value()?);
                    self.separator("]")?;
                }
                Ok(Value::List(list))
            }
            Some('{') => {
                self.expect("{")?;
                let mut table = Vec::new();
                self.skip_blank();
                while !self.take("}") {
                    table.push(self.entry()?);
                    self.separator("}")?;
                }
                Ok(Value::Table(table))
            }
            _ => {
                self.word(|c| c.is_ascii_alphanumeric() || "+-_.:".contains(c), "a value")?;
                Ok(Value::Other)
            }
        }
    }

    /// A comma, or the closing bracket, which stays.
    fn separator(&mut self, close: &str) -> Result<(), String> {
        self.skip_blank();
        if self.take(",") {
            self.skip_blank();
        } else if !self.rest.starts_with(close) {
            return Err(format!("expected a comma or {close}"));
        }
        Ok(())
    }

    fn text(&mut self) -> Result<String, String> {
        for (quote, escapes) in [("\"\"\"", true), ("'''", false), ("\"", true), ("'", false)] {
            if !self.take(quote) {
                continue;
            }
            if quote.len() == 3 && !self.take("\n") {
                self.take("\r\n");
            }
            let mut text = String::new();
            loop {
                // Up to two quotes may stand before the three that close.
                if self.rest.starts_with(quote) && (quote.len() == 1 || !self.rest[1..].starts_with(quote)) {
                    self.expect(quote)?;
                    return Ok(text);
                }
                match self.rest.chars().next() {
                    Some('\\') if escapes => text.push_str(&self.escape()?),
                    Some(c) if quote.len() == 3 || c != '\n' => {
                        text.push(c);
                        self.rest = &self.rest[c.len_utf8()..];
                    }
                    _ => return Err("a string that does not end".to_string()),
                }
            }
        }
        Err("expected a string".to_string())
    }

    fn escape(&mut self) -> Result<String, String> {
        self.expect("\\")?;
        let line_end = self.rest.trim_start_matches([' ', '\t']);
        if line_end.starts_with(['\n', '\r']) {
            self.rest = line_end.trim_start();
            return Ok(String::new());
        }
        let letter = self.rest.chars().next().ok_or("a string that does not end")?;
        self.rest = &self.rest[letter.len_utf8()..];
        let digits = match letter {
            'b' => return Ok("\u{8}".to_string()),
            't' => return Ok("\t".to_string()),
            'n' => return Ok("\n".to_string()),
            'f' => return Ok("\u{c}".to_string()),
            'r' => return Ok("\r".to_string()),
            '"' | '\\' => return Ok(letter.to_string()),
            'u' => 4,
            'U' => 8,
            _ => return Err(format!("\\{letter} is no escape")),
        };
        let hex = self.rest.get(..digits).ok_or("an escape that does not end")?;
        let character =
            u32::from_str_radix(hex, 16).ok().and_then(char::from_u32).ok_or("an escape of no character")?;
        self.rest = &self.rest[digits..];
        Ok(character.to_string())
    }

    fn word(&mut self, allowed: impl Fn(char) -> bool, what: &str) -> Result<String, String> {
        let end = self.rest.find(|c| !allowed(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(format!("expected {what}"));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word.to_string())
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        self.skip_spaces();
        if self.take(token) {
            Ok(())
        } else {
            Err(format!("expected {token}"))
        }
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn skip_comment(&mut self) {
        if self.rest.starts_with('#') {
            self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
        }
    }

    fn skip_blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']);
            if !self.rest.starts_with('#') {
                return;
            }
            self.skip_comment();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        parse(text).unwrap().keys
    }

    #[test]
    fn the_configs_of_this_repository() {
        for (text, name) in [
            (include_str!("../../../stt/configs/stt.toml"), "BatchedAsr"),
            (include_str!("../../../tts/configs/tts.toml"), "Py"),
        ] {
            let config = parse(text).unwrap();
            assert_eq!(config.keys, ["public_token"]);
            assert_eq!(config.module_types, [name]);
        }
    }

    #[test]
    fn lists_of_keys() {
        assert_eq!(
            keys("authorized_ids = [\n  \"a\", # one\r\n  'b$C\\',\n\n]\n[x]\nauthorized_ids = [\"no\"]"),
            ["a", "b$C\\"]
        );
        assert_eq!(keys("a = 1\nauthorized_ids=[]"), [""; 0]);
        assert_eq!(keys("\"authorized_ids\" = [\"a\"]"), ["a"]);
        assert_eq!(keys("x = \"authorized_ids = ['no']\" # authorized_ids = ['no']"), [""; 0]);
        assert_eq!(keys("x = '''\nauthorized_ids = [\"no\"]\n'''\nauthorized_ids = [\"a\"]"), ["a"]);
    }

    #[test]
    fn strings() {
        assert_eq!(
            keys(
                r#"authorized_ids = ["\"\\\t\u00e9\U0001F600", '"', """a""""", """\
            b\
            c"""]"#
            ),
            ["\"\\\t\u{e9}\u{1f600}", "\"", "a\"\"", "bc"]
        );
    }

    #[test]
    fn module_types() {
        for text in [
            "[modules.a]\ntype = \"Py\"\n[modules.a.py]\ntype = \"no\"",
            "[modules]\na = { path = \"/a\", type = \"Py\" }",
            "[modules]\na.type = \"Py\"",
            "modules.a.type = \"Py\"",
            "modules = { a = { type = \"Py\" } }",
            "[ modules . \"a.b\" ] # c\ntype = 'Py'",
            "\u{feff}[modules.a]\r\ntype = \"Py\"\r\n",
        ] {
            assert_eq!(parse(text).unwrap().module_types, ["Py"], "{text}");
        }
    }

    #[test]
    fn other_values_are_skipped() {
        let text = "a = 1_000\nb = -1.5e+3\nc = 2026-01-02T03:04:05Z\nd = [[1, 2], [true]]\n[[e]]\nf = inf\n";
        assert_eq!(parse(text).unwrap(), Config::default());
    }

    #[test]
    fn what_is_not_toml_says_where() {
        for (text, line) in [
            ("a = 1\nb\n", "line 2"),
            ("a = \"x\n\"", "line 1"),
            ("authorized_ids = [\n\"a\" \"b\"]", "line 2"),
            ("a = 1 2", "line 1"),
            ("a = \"\\q\"", "line 1"),
            ("a =", "line 1"),
        ] {
            assert!(parse(text).unwrap_err().starts_with(line), "{text}: {}", parse(text).unwrap_err());
        }
    }
}
