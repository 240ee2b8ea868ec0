//! TOML's syntax: all of it for keys, tables and strings; numbers, booleans and dates are kept as they are written.

use super::{Table, Value};

pub struct Reader<'a> {
    pub rest: &'a str,
}

impl Reader<'_> {
    pub fn document(&mut self) -> Result<Table, String> {
        let mut document = Table::default();
        let mut header = Vec::new();
        loop {
            self.skip_blank();
            if self.rest.is_empty() {
                return Ok(document);
            }
            if self.take("[[") {
                header = self.key()?;
                self.expect("]]")?;
                document.append(&header)?;
            } else if self.take("[") {
                header = self.key()?;
                self.expect("]")?;
                document.enter(&header)?;
            } else {
                let (key, value) = self.entry()?;
                document.enter(&header)?.insert(&key, value)?;
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
                let mut table = Table::default();
                self.skip_blank();
                while !self.take("}") {
                    let (key, value) = self.entry()?;
                    table.insert(&key, value)?;
                    self.separator("}")?;
                }
                Ok(Value::Table(table))
            }
            _ => Ok(Value::Bare(self.bare()?)),
        }
    }

    /// A number, a boolean or a date, which may have a blank before its time.
    fn bare(&mut self) -> Result<String, String> {
        let part = |c: char| c.is_ascii_alphanumeric() || "+-_.:".contains(c);
        let mut word = self.word(part, "a value")?;
        let mut time = self.rest.strip_prefix(' ').unwrap_or("").chars();
        if word.len() == 10 && word.matches('-').count() == 2 && time.next().is_some_and(|c| c.is_ascii_digit()) {
            self.skip_spaces();
            word = format!("{word} {}", self.word(part, "a time")?);
        }
        Ok(word)
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
