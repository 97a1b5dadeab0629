"""Products and master recipes over the API."""

from django.urls import path

from batches.recipes.api import acts, products, recipes

_RECIPE = "recipes/<str:product>/<int:version>"
urlpatterns = [
    path("products", products.Products.as_view(), name="products"),
    path("products/<str:code>", products.ProductView.as_view(), name="product"),
    path("recipes", recipes.Recipes.as_view(), name="recipes"),
    path("recipes/imports", recipes.Imports.as_view(), name="recipe-imports"),
    path(_RECIPE, recipes.RecipeView.as_view(), name="recipe"),
    path(f"{_RECIPE}/content", recipes.ContentView.as_view(), name="recipe-content"),
    path(f"{_RECIPE}/document", recipes.DocumentView.as_view(), name="recipe-document"),
    path(f"{_RECIPE}/completeness", recipes.Completeness.as_view(), name="recipe-completeness"),
    path(f"{_RECIPE}/difference", recipes.DifferenceView.as_view(), name="recipe-difference"),
    path(f"{_RECIPE}/lines/<slug:part>", recipes.Lines.as_view(), name="recipe-lines"),
    path(f"{_RECIPE}/copies", acts.Copies.as_view(), name="recipe-copies"),
    path(f"{_RECIPE}/submission", acts.Submission.as_view(), name="recipe-submission"),
    path(f"{_RECIPE}/review", acts.Review.as_view(), name="recipe-review"),
    path(f"{_RECIPE}/return", acts.Return.as_view(), name="recipe-return"),
    path(f"{_RECIPE}/approval", acts.Approval.as_view(), name="recipe-approval"),
    path(f"{_RECIPE}/effect", acts.Effect.as_view(), name="recipe-effect"),
    path(f"{_RECIPE}/withdrawal", acts.Withdrawal.as_view(), name="recipe-withdrawal"),
    path(f"{_RECIPE}/discard", acts.Discard.as_view(), name="recipe-discard"),
]
