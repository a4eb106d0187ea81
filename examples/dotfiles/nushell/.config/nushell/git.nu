# The last commits as a table.
export def "git last" [count: int = 20] {
  git log $"--max-count=($count)" "--pretty=%h%x09%an%x09%aI%x09%s"
  | lines
  | split column "\t" commit author date subject
  | update date {|row| $row.date | into datetime }
}

# Local branches that are merged into the current one.
export def "git merged" [] {
  git branch --merged
  | lines
  | where $it !~ '^\*'
  | str trim
}
