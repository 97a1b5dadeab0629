"""Django's own admin site, with the product's name and sign-out on record."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class ProductAdminConfig(AdminConfig):
    default_site = "config.site.ProductAdminSite"


class ProductAdminSite(AdminSite):
    site_header = "GMP twin"
    site_title = "GMP twin"
    index_title = "Plant"
    enable_nav_sidebar = True
