"""What of docs/ is made or checked by a program.

`reference`  docs/reference.md, from the API's own types (`make generate`)
`examples`   the example of each field, for that page
`console`    the commands of a page, to be run as they stand there
`compare`    whether a command's output is as the page shows it
"""
