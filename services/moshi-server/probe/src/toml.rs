//! TOML as a tree that keeps the order of the file. The images are built without crates of others, so it is read here.

mod reader;
mod writer;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    /// A number, a boolean or a date, as it is written.
    Bare(String),
    List(Vec<Value>),
    Table(Table),
}

impl Value {
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn table(&self) -> Option<&Table> {
        match self {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// All strings in the value, at any depth.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Value::Text(text) => vec![text],
            Value::Bare(_) => Vec::new(),
            Value::List(list) => list.iter().flat_map(Value::texts).collect(),
            Value::Table(table) => table.entries.iter().flat_map(|(_, value)| value.texts()).collect(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    pub entries: Vec<(String, Value)>,
}

impl Table {
    /// Reads a document. An error names the line.
    pub fn parse(text: &str) -> Result<Table, String> {
        let mut reader = reader::Reader { rest: text };
        reader.document().map_err(|message| {
            let line = text[..text.len() - reader.rest.len()].matches('\n').count() + 1;
            format!("line {line}: {message}")
        })
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Puts a value where there is one already, or at the end.
    pub fn set(&mut self, key: &str, value: Value) {
        match self.entries.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.entries.push((key.to_string(), value)),
        }
    }

    /// The table at a path, made where it is missing; of an array of tables the last one.
    pub fn enter(&mut self, path: &[String]) -> Result<&mut Table, String> {
        let Some((key, rest)) = path.split_first() else { return Ok(self) };
        if self.get(key).is_none() {
            self.entries.push((key.clone(), Value::Table(Table::default())));
        }
        let found = self.entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value);
        match found {
            Some(Value::Table(table)) => table.enter(rest),
            Some(Value::List(list)) => match list.last_mut() {
                Some(Value::Table(table)) => table.enter(rest),
                _ => Err(format!("{key} is no table")),
            },
            _ => Err(format!("{key} is no table")),
        }
    }

    /// Begins another table of an array of tables.
    fn append(&mut self, path: &[String]) -> Result<(), String> {
        let Some((key, parents)) = path.split_last() else { return Err("expected a key".to_string()) };
        let parent = self.enter(parents)?;
        if parent.get(key).is_none() {
            parent.entries.push((key.clone(), Value::List(Vec::new())));
        }
        match parent.entries.iter_mut().find(|(name, _)| name == key) {
            Some((_, Value::List(list))) => {
                list.push(Value::Table(Table::default()));
                Ok(())
            }
            _ => Err(format!("{key} is no array of tables")),
        }
    }

    /// Puts a value at a dotted key that has none yet.
    fn insert(&mut self, path: &[String], value: Value) -> Result<(), String> {
        let Some((key, parents)) = path.split_last() else { return Err("expected a key".to_string()) };
        let parent = self.enter(parents)?;
        if parent.get(key).is_some() {
            return Err(format!("{key} is there twice"));
        }
        parent.entries.push((key.clone(), value));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let table = Table::parse(text).unwrap();
        Value::Table(table).texts().into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn strings() {
        assert_eq!(
            texts(
                r#"a = ["\"\\\t\u00e9\U0001F600", '"', """a""""", """\
            b\
            c"""]"#
            ),
            ["\"\\\t\u{e9}\u{1f600}", "\"", "a\"\"", "bc"]
        );
        assert_eq!(texts("a = [\n  \"a\", # one\r\n  'b$C\\',\n\n]"), ["a", "b$C\\"]);
    }

    #[test]
    fn comments_and_quoted_text_are_no_entries() {
        assert_eq!(texts("x = \"y = ['no']\" # z = ['no']"), ["y = ['no']"]);
        assert_eq!(texts("x = '''\ny = [\"no\"]\n'''\n# z = \"no\"\n"), ["y = [\"no\"]\n"]);
        assert_eq!(texts("# \"no\"\nx = 1 # \"no\" 'no'\ny = \"#yes\""), ["#yes"]);
    }

    #[test]
    fn tables_in_every_notation() {
        for text in [
            "[a.b]\nc = \"x\"",
            "[a]\nb = { c = \"x\" }",
            "[a]\nb.c = \"x\"",
            "a.b.c = \"x\"",
            "a = { b = { c = 'x' } }",
            "[ a . \"b\" ] # c\r\n\"c\" = \"x\"\r\n",
            "\u{feff}[a.b]\nc = 'x'",
        ] {
            let table = Table::parse(text).unwrap();
            let found = table.get("a").and_then(Value::table).and_then(|a| a.get("b")).and_then(Value::table);
            assert_eq!(found.and_then(|b| b.text("c")), Some("x"), "{text}");
        }
    }

    #[test]
    fn arrays_of_tables() {
        let table = Table::parse("[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 3\n").unwrap();
        let Some(Value::List(list)) = table.get("a") else { panic!("{table:?}") };
        assert_eq!(list.len(), 2);
        assert_eq!(
            list[1].table().and_then(|last| last.get("c")).and_then(Value::table).map(|c| c.entries.len()),
            Some(1)
        );
    }

    #[test]
    fn other_values_stay_as_they_are() {
        let text = "a = 1_000\nb = -1.5e+3\nc = 2026-01-02T03:04:05Z\nd = 2026-01-02 03:04:05\ne = inf # f\n";
        let table = Table::parse(text).unwrap();
        let bare: Vec<&str> = table
            .entries
            .iter()
            .map(|(_, value)| match value {
                Value::Bare(text) => text.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(bare, ["1_000", "-1.5e+3", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05", "inf"]);
    }

    #[test]
    fn what_is_not_toml_says_where() {
        for (text, line) in [
            ("a = 1\nb\n", "line 2"),
            ("a = \"x\n\"", "line 1"),
            ("a = [\n\"a\" \"b\"]", "line 2"),
            ("a = 1 2", "line 1"),
            ("a = \"\\q\"", "line 1"),
            ("a =", "line 1"),
            ("a = 1\n\na = 2", "line 3"),
            ("a = 1\na.b = 2", "line 2"),
            ("a = 1\n[a]", "line 2"),
            ("a = 1\n[[a]]", "line 2"),
        ] {
            let message = Table::parse(text).unwrap_err();
            assert!(message.starts_with(line), "{text}: {message}");
        }
    }
}
