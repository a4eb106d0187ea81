def today [] {
  let dir = $env.HOME | path join "notes"
  mkdir $dir
  $dir | path join $"(date now | format date '%F').md"
}

# Adds a line to today's note.
export def add [...words: string] {
  $"- (date now | format date '%H:%M') ($words | str join ' ')\n" | save --append (today)
}

# Opens today's note.
export def edit [] {
  nvim (today)
}
