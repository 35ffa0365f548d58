module github.com/honeydue/backend/tests

go 1.26
