"""What the tests share: problems as data, layouts, checks against PyTorch, a naive oracle."""
